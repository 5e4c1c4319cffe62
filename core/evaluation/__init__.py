"""Metrics, calibration and significance, from probabilities and labels."""
