"""All of Digit Lab's computation: no Streamlit here, so a notebook can do what the pages do."""

import os

# OpenMP's threads spin while they wait for one another, by default for milliseconds. On a laptop
# whose cores also run a browser, a thread that spins keeps the one it waits for from running. This
# many turns cost nothing on two idle cores (6,895 images a second, 6,902 by default) and give 20 %
# with one core taken (2,678 against 2,223). It must be set before torch is loaded.
os.environ.setdefault("GOMP_SPINCOUNT", "10000")
