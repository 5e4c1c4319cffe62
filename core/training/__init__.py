"""Train networks: the networks, batches, the training loop, checkpoints and inference."""
