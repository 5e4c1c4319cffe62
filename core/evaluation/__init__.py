"""Probabilities and labels → metrics, calibration, significance."""
