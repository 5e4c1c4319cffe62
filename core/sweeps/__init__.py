"""Search for the best settings: many runs, on one machine or several, compared on validation."""
