"""Session-state keys of our own: what must survive leaving a page, since widget state does not."""

RUN = "run"  # id of the run last trained or chosen
CONFIG = "config"  # the Train page's settings, a dict of TrainConfig's fields
RECIPE = "recipe"  # the recipe they started from
DRAWING = "drawing"  # the canvas's json_data
