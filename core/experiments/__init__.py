"""Guided experiments for learners, defined in text files and conducted live."""
