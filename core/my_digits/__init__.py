"""My digits, drawn and labeled by the user: the collection, and fine-tuning a run on it."""
