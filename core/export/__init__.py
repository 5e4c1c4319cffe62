"""Export a run: its network in other programs' formats, and programs that use it."""
