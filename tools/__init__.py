"""Programs that make the files that are committed: the built-in network, the detector."""
