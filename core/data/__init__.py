"""MNIST as arrays: find, verify, split, download, describe."""
