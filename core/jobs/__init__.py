"""Run trainings in processes: requests, the queue, the worker, and a process on standby."""
