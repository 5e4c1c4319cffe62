"""MNIST as arrays: find, verify, split, download and describe it."""
