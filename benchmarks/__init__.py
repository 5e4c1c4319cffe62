"""What the README claims, as programs that measure and print it."""
