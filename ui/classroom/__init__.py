"""What a class needs: one command that starts it, how to join, who is there."""
