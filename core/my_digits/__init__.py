"""My digits, drawn and labelled by the user: the collection, and fine-tuning a run on it."""
