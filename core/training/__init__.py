"""Training a network: networks, batches, the loop, and reading digits with the result."""
