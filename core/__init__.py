"""All of Digit Lab's computation: no Streamlit here, so a notebook can do what the pages do."""

import os

# OpenMP's threads spin while they wait for one another. On a laptop whose cores also run a
# browser, a spinning thread keeps the one it waits for from running: with both cores busy a
# training was 6 times slower. It must be set before torch is loaded.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
