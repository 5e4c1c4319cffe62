"""The parts of the Sweeps page."""
