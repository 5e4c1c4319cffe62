"""A run and digits → calibrated answers, explanations, and what is not a digit."""
