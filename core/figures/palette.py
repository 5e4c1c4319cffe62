"""The app's colors, as `#rrggbb`; the theme in .streamlit/config.toml repeats those of classes.

All have medium lightness (relative luminance 0.09 to 0.42), so that each stands out on a white
page and on a dark one.
"""

from __future__ import annotations

# One for each digit. A search maximized the smallest difference between any two colors, as seen
# with full color vision and with protanopia, deuteranopia and tritanopia (Machado et al., 2009).
# In OKLab it is at least 0.14, 0.11, 0.10 and 0.08; with Tableau's ten colors it drops to 0.01.
CLASS_COLORS = (
    "#656d9f",
    "#e2550d",
    "#0c936a",
    "#54beaf",
    "#dea211",
    "#ab1b12",
    "#a169e4",
    "#9fa5f8",
    "#7836ae",
    "#226356",
)

TRAINING = "#3f8ec9"
VALIDATION = "#e07b28"
TEST = "#8c6bc8"

WRONG = "#e5484d"
NEUTRAL = "#8a8f98"
ACCENT = "#0f8b8d"
