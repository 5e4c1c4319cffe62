"""One digit's ink → the 28 × 28 picture that MNIST's makers would have made of it.

They scaled each digit, its aspect kept and its edges anti-aliased to grey, so that its longer side
filled 20 pixels, and moved it so that its centre of mass came to the middle of 28 × 28 (LeCun,
Cortes and Burges, http://yann.lecun.com/exdb/mnist/). A network that learned on such pictures knows
no others, so a digit of one's own has to be prepared the same way.

Strokes and photos both end in a sharp picture of 8 × 8 fine pixels for each pixel of the 20 × 20
box, which `place` turns into the 28 × 28.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from scipy import ndimage

Floats = NDArray[np.floating[Any]]
Mask = NDArray[np.bool_]
AREA = Image.Resampling.BOX

SIZE = 28  # side of an MNIST picture, pixels
BOX = 20  # longer side of the ink in it, pixels
FINE = 8  # fine pixels to a pixel, along each axis
PEN = 0.12  # width of a stroke in parts of the ink's longer side; half of MNIST's have more
THINNEST, THICKEST = 0.08, 0.165  # 5 and 85 % of MNIST's digits have less, by `even_out`'s rule


@dataclass(frozen=True, eq=False)
class Digit:
    """One digit that was found: what the model sees, and where it was.

    `image` is (28, 28) float32 in [0, 1], ink is 1. `box` is left, top, right and bottom, in pixels
    of the canvas, or as shares of the picture's width and height. `row` counts from 0 at the top.
    """

    image: NDArray[np.float32]
    box: tuple[float, float, float, float]
    row: int = 0


def even_out(mask: Mask) -> Mask:
    """Ink (H, W) with its strokes brought into the range of thickness that MNIST has.

    Across a stroke of width w the distance to the edge is w / 4 on average, half a pixel more
    where distances are counted from pixel to pixel.
    """
    mask = np.pad(mask, max(mask.shape) // 4)
    depth = ndimage.distance_transform_edt(mask)
    width = 4 * (float(depth[mask].mean()) - 0.5)
    longer = max(side.stop - side.start for side in ink_box(mask))
    goal = min(max(width / longer, THINNEST), THICKEST)
    grow = (goal * longer - width) / (1 - goal) / 2  # on each side, the digit growing with it
    if grow > 0:
        return np.asarray(ndimage.distance_transform_edt(~mask) <= grow)
    return np.asarray(depth > -grow)


def ink_box(mask: Mask) -> tuple[slice, slice]:
    """The rows and the columns that the ink spans."""
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    return slice(rows[0], rows[-1] + 1), slice(columns[0], columns[-1] + 1)


def fit(mask: Mask) -> Floats:
    """Ink (H, W) → the fine square, its longer side filled and its shorter side at the start."""
    ink = mask[ink_box(mask)]
    side = max(ink.shape)
    square = np.zeros((side, side), np.float32)
    square[: ink.shape[0], : ink.shape[1]] = ink
    return np.asarray(Image.fromarray(square).resize((BOX * FINE, BOX * FINE), AREA))


def place(fine: Floats | Mask) -> NDArray[np.float32]:
    """The fine square (160, 160) → (28, 28) float32, its centre of mass in the middle.

    The middle is pixel 14, and the move is by whole pixels: in MNIST the centres of mass lie
    evenly between 13.5 and 14.5.
    """
    ink = fine.reshape(BOX, FINE, BOX, FINE).mean(axis=(1, 3))
    ink = ink[ink_box(ink > 0)]
    centre = ndimage.center_of_mass(ink)
    top, left = (
        min(max(round(SIZE // 2 - middle), 0), SIZE - side)
        for middle, side in zip(centre, ink.shape, strict=True)
    )
    digit = np.zeros((SIZE, SIZE), np.float32)
    digit[top : top + ink.shape[0], left : left + ink.shape[1]] = ink
    return digit
