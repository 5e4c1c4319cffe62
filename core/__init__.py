"""All of Digit Lab's computation, without Streamlit, so that it also works in a notebook."""

import os

# OpenMP's threads spin while they wait for each other, by default for milliseconds. If a browser
# uses the same cores, a spinning thread keeps the other one from running. This limit costs
# nothing on two idle cores (6,895 images a second; 6,902 without it), and training is 20 % faster
# when one core is busy (2,678 against 2,223). It must be set before torch is loaded.
os.environ.setdefault("GOMP_SPINCOUNT", "10000")
