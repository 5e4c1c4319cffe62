"""The run store: every run's record, its files, and its network's predictions."""
