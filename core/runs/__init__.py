"""The run store: what is known of each run, its files, and the answers of its network."""
