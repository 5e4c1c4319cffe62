"""Find the digits in strokes or a picture, and prepare them as MNIST's were prepared."""
