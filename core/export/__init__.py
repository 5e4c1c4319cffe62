"""What a run leaves with: its network in other programs' forms, and programs that read with it."""
