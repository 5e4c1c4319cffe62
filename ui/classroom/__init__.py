"""Parts for a class: the command that starts it, how to join, and who is there."""
