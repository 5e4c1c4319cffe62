"""Find the digits in strokes or a picture, and prepare them like MNIST's."""
