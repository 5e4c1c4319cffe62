"""Programs that make committed files: the built-in network and the detector of non-digits."""
