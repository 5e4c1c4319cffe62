"""A person's own digits: the collection, and fine-tuning a run on it."""
