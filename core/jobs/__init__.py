"""A run's process: its request, the queue, the worker, and a process on standby."""
