"""How sure a network says it is, how often it is right, and what calibration changes."""

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from core.data.digits import Digits
from core.evaluation import calibration
from core.experiments.course import Bars, Finding, Tiles
from core.experiments.trained import Trained
from core.ink.photo import from_picture

LETTERS = "AEFHKMNRTWXY"  # letters that do not look like a digit
_SURE = 0.99


def findings(run: Trained, digits: Digits) -> list[Finding]:
    """Return confidence and accuracy on the test digits, sure mistakes, and answers to letters.

    The calibration is fitted on the run's validation images.
    """
    before = run.read(digits.test_images)
    fitted = calibration.fit(run.answers, run.labels)
    after = fitted.apply(before)
    right = before.argmax(axis=1) == digits.test_labels
    letters = np.stack([_letter(letter) for letter in LETTERS])
    surely = [run.read(letters), fitted.apply(run.read(letters))]
    captions = [
        f"{letter} → {row.argmax()}, {row.max():.0%}".replace("%", " %")
        for letter, row in zip(LETTERS, surely[1], strict=True)
    ]
    stages = ["before", "after"]
    both = [probabilities.max(axis=1) for probabilities in (before, after)]
    return [
        Bars(
            "On the test digits, before and after calibration",
            stages,
            {
                "confidence, on average": [float(sure.mean()) for sure in both],
                "right answers": [float(right.mean())] * 2,
            },
        ),
        Bars(
            f"Called a digit with at least {_SURE:.0%}".replace("%", " %"),
            [
                "misread digits, before",
                "misread digits, after",
                "letters, before",
                "letters, after",
            ],
            {
                "": [
                    *(float((sure[~right] >= _SURE).mean()) for sure in both),
                    *(float((answers.max(axis=1) >= _SURE).mean()) for answers in surely),
                ]
            },
        ),
        Tiles(
            "Letters, what they are read as, and how surely after calibration",
            (255 * letters).round().tolist(),
            captions,
            6,
        ),
    ]


def _letter(letter: str) -> NDArray[np.float32]:
    """Return a printed letter, prepared like an uploaded picture, (28, 28) in [0, 1]."""
    page = Image.new("L", (280, 280), 255)
    ImageDraw.Draw(page).text((60, 30), letter, 0, ImageFont.load_default(200))
    return from_picture(page)[0].image
