"""Strokes or a picture → digits, prepared as MNIST's makers prepared theirs."""
