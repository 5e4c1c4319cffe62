"""Session-state keys of our own: what must survive leaving a page, since widget state does not."""

RUN = "run"  # id of the run chosen to be looked at
WATCHED = "watched"  # id of the run whose curves the Train page shows, the last started
CONFIG = "config"  # the Train page's settings, a dict of TrainConfig's fields
RECIPE = "recipe"  # the recipe they started from
KEPT = "kept"  # names of the digits kept in this session, by what was drawn
DRAWING = "drawing"  # the canvas's json_data
SPLIT = "split"  # the Evaluate page's: a member of results.SPLITS
NORMALISED = "normalised"  # whether its confusion matrix shows shares
HIDE_DIAGONAL = "hide-diagonal"  # whether that leaves out what is right
COMPARED = "compared"  # ids of the runs chosen on the Compare page, in the order of choice
RUN_FILTER = "run-filter"  # words that its table is filtered by
RUN_COLUMNS = "run-columns"  # the columns it shows
CURVES = "curves"  # the metric its curves show
BY_SECONDS = "by-seconds"  # whether they go over seconds
