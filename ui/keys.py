"""The session-state keys that are used in more than one place.

A widget's state is lost when its page is left. Streamlit keeps it with `persist_state`; otherwise,
the app copies it to one of these keys.
"""

# The visitor
PERSON = "person"  # secret and name, if they were given in this session
ADMIN = "admin"  # whether the admin secret was given in this session
SHELF = "shelf"  # in a public demo, the visitor's My digits: PNG files by name

# Selected runs; any of them may have been deleted meanwhile.
RUN = "run"  # id of the selected run
RUN_CHOICE = "run-choice"  # the same, as the value of the selectbox
WATCHED = "watched"  # id of the run on the Train page: the last started or selected
PAIR = "pair"  # ids of two runs, one watched and the other shown beside it; or none
TEACHING = "teaching"  # id of the run that is learning my digits
COMPARED = "compared"  # ids of the runs selected on the Compare page, in order
DELETING = "run-to-delete"  # id of the run whose deletion waits for confirmation

# Experiments
GUESSES = "guesses"  # the guess at each experiment, by its slug
COURSES = "courses"  # the course of each experiment that was run, by its slug
EXPERIMENTS_DONE = "experiments-done"  # slugs of the experiments seen to the end

# Data
CHOSEN = "data-chosen"  # (source, number) of the image shown large
REGION = "data-region-clicked"  # row of the map's image last clicked below it
CLICKED = "data-clicked"  # number of the image last clicked in the gallery
DUPLICATES = "data-duplicates-chosen"  # numbers of the pair of near-duplicates last clicked
AUGMENTATION = "data-augmentation"  # Train's settings that its sliders were last set to
AUGMENTATION_SEED = "data-seed"  # seed of the augmentation

# Train
CONFIG = "config"  # the settings, a dict of TrainConfig's fields
RECIPE = "recipe"  # the recipe that the settings started from
NAME = "name"  # the name of the next run
SEEDS = "seeds"  # how many runs to start at once
FORMED = "formed-open"  # whether "How it formed" is expanded
CODE = "code-open"  # whether the code for the settings is expanded
ALL_SETTINGS = "all-settings-open"  # whether all settings are expanded
LAYERS = "layers-open"  # whether the network's layers are expanded

DOOR = "door-answers"  # whether the browser gets new points from the door

# Sweeps
SWEEP = "sweep"  # name of the sweep shown

# Evaluate
SPLIT = "split"  # a member of answers.SPLITS, collection.SPLIT or hands.SPLIT
WHOSE = "whose"  # the tag of the person whose digits are evaluated, or "everybody"
NORMALIZED = "normalized"  # whether the confusion matrix shows shares
HIDE_DIAGONAL = "hide-diagonal"  # whether the confusion matrix leaves out right answers
WEAKNESS = "weakness-open"  # whether Evaluate's slices are expanded
SLICED_AGAINST = "sliced-against"  # id of the run that slices are compared with, or empty
SLICE = "slice"  # the measure and the fifth whose mistakes are shown
SHOWN_IMAGES = "shown-images"  # which images are shown: all mistakes, or a cell's

# Draw
DRAWING = "drawing"  # the canvas's json_data
CANVAS = "canvas-generation"  # number of the canvas component, which is replaced to clear it
CANVAS_INITIAL = "canvas-initial"  # the initial drawing of this component
PEN = "canvas-pen"  # its width in pixels
RANDOM_DIGIT = "random-digit"  # index of the test digit shown
KEPT = "kept"  # names of the digits saved in this session, by a hash of the image
MY_DIGITS = "my-digits-open"  # whether My digits is expanded
MY_DIGITS_UPLOAD = "my-digits-upload"  # number of the uploader, which is replaced to empty it

# Inside
INSIDE_SOURCE = "inside-source"  # where the digit comes from
INSIDE_DIGIT = "inside-digit"  # the digit opened from Evaluate: image, truth, title
INSIDE_WAY = "inside-way"  # whether layers are shown, fooling, or a dream
INSIDE_VALUE = "inside-value"  # the value last clicked: the maps' key, channel, row, column
INSIDE_OFF = "inside-off"  # the channels switched off, and of which run
INSIDE_COVERED = "inside-covered"  # the pixels covered, and of which digit
INSIDE_REDRAW = "inside-redraw"  # whether the layers have to be redrawn after the answer
INSIDE_DREAM = "inside-dream"  # the digit dreamt of
INSIDE_NOISE = "inside-noise-seed"  # seed of the noise that a dream begins with
INSIDE_DREAMT = "inside-dreamt"  # the last dream, and its run, digit and seed

# Compare
RUN_FILTER = "run-filter"  # words to filter the table by
RUN_COLUMNS = "run-columns"  # the columns of the table
TICKED = "ticked-at-first"  # rows selected when the table was first drawn
APART = "runs-apart"  # whether each run has its own row, instead of one row per setting
ARCHIVED = "archived"  # whether archived runs are shown too
BASELINE = "baseline"  # the key of the setting that others are compared with
VIEW_READ = "view-read"  # whether the view was read from the address in this session
TAKE_IN_OPEN = "take-in-open"  # whether "Bring your own model" is expanded
TAKE_IN = "take-in"  # number of the import form, which is replaced to empty it
TAKEN_IN = "taken-in"  # id of the run imported last in this session
CURVES = "curves"  # the metric of the curves
BY_SECONDS = "by-seconds"  # whether the curves are over seconds


def editing(run_id: str) -> str:
    """Return the key of the texts that a run's form showed first, and of those last seen."""
    return f"editing-{run_id}"


def stopping(run_id: str) -> str:
    """Return the key that says whether this session has asked the run to stop."""
    return f"stopping-{run_id}"
