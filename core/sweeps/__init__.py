"""Search for the best settings: many runs, on one machine or several, told apart by validation."""
