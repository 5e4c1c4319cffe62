"""All keys of the session's state that are read somewhere else than where their widget stands.

Those of widgets are kept by Streamlit itself (`persist_state`) or, like the others, by us: a
widget's own state does not survive leaving its page.
"""

# A run that was chosen: whoever reads one must bear that it was deleted.
RUN = "run"  # id of the run chosen to be looked at
RUN_CHOICE = "run-choice"  # the same, while its selectbox is on the page
WATCHED = "watched"  # id of the run whose curves the Train page shows: the last started or chosen
TEACHING = "teaching"  # id of the run that is learning my digits
COMPARED = "compared"  # ids of the runs chosen on the Compare page, in the order of choice
DELETING = "run-to-delete"  # id of the run whose deletion waits for a second word

# Data
CHOSEN = "data-chosen"  # (source, number) of the image shown large
CLICKED = "data-clicked"  # number of the image that the gallery told of last
AUGMENTATION_SEED = "data-seed"  # of the augmentation's draws

# Train
CONFIG = "config"  # the settings, a dict of TrainConfig's fields
RECIPE = "recipe"  # the recipe they started from
NAME = "name"  # what the next run will be called

DOOR = "door-answers"  # whether the browser gets new points by itself

# Evaluate
SPLIT = "split"  # a member of answers.SPLITS, or collection.SPLIT
NORMALISED = "normalised"  # whether the confusion matrix shows shares
HIDE_DIAGONAL = "hide-diagonal"  # whether that leaves out what is right
SHOWN_IMAGES = "shown-images"  # which images are looked at: all mistakes, or a cell's

# Draw
DRAWING = "drawing"  # the canvas's json_data
CANVAS = "canvas-generation"  # number of the canvas component: a new one is the only way to clear
CANVAS_INITIAL = "canvas-initial"  # the drawing that this component started from
PEN = "canvas-pen"  # its width in pixels
RANDOM_DIGIT = "random-digit"  # index of the test digit shown
KEPT = "kept"  # names of the digits kept in this session, by what was drawn
MY_DIGITS = "my-digits-open"  # whether My digits are unfolded
MY_DIGITS_UPLOAD = "my-digits-upload"  # number of the uploader: a new one is the only empty one

# Compare
RUN_FILTER = "run-filter"  # words that the table is filtered by
RUN_COLUMNS = "run-columns"  # the columns it shows
TICKED = "ticked-at-first"  # rows that were chosen when the table was drawn first
CURVES = "curves"  # the metric its curves show
BY_SECONDS = "by-seconds"  # whether they go over seconds


def stopping(run_id: str) -> str:
    """Return the key that says that this session has asked the run to stop."""
    return f"stopping-{run_id}"
