"""Read digits with a run: calibrated answers, explanations, and detection of non-digits."""
