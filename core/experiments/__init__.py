"""Experiments that lead a learner: read from files of text, and conducted live."""
