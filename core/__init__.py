"""All of Digit Lab's computation: no Streamlit here, so a notebook can do what the pages do."""

import os

# OpenMP's threads spin while they wait for one another, by default for milliseconds. On a laptop
# whose cores also run a browser, a thread that spins keeps the one it waits for from running: with
# both cores busy, training was up to ten times slower. Some 30 µs of spinning cost nothing on an
# idle machine and lose little on a busy one. It must be set before torch is loaded.
os.environ.setdefault("GOMP_SPINCOUNT", "10000")
