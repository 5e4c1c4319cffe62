"""Turn one digit's ink into a 28 × 28 picture, prepared as MNIST's digits were.

MNIST's digits were scaled, with their aspect ratio kept and their edges anti-aliased, so that the
longer side fills 20 pixels, and shifted so that the center of mass is in the middle of 28 × 28
(LeCun, Cortes and Burges, http://yann.lecun.com/exdb/mnist/). A network trained on MNIST has seen
only such pictures, so a new digit must be prepared in the same way.

Strokes and photos are both turned into a sharp picture with 8 × 8 fine pixels for each pixel of the
20 × 20 box; `place` turns that into the 28 × 28 picture.
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
PEN = 0.12  # stroke width as a share of the ink's longer side; the median of MNIST
THINNEST, THICKEST = 0.08, 0.165  # MNIST's 5th and 85th percentiles, measured as in `even_out`


@dataclass(frozen=True, eq=False)
class Digit:
    """A digit found in a drawing or a picture: the network's input, and where it was found.

    `image` is (28, 28) float32 in [0, 1], where ink is 1. `box` is left, top, right and bottom, in
    pixels of the canvas, or as shares of the picture's width and height. `row` counts from 0 at the
    top. `ink` is the sharp ink (H, W) in the box, for a digit found in a picture.
    """

    image: NDArray[np.float32]
    box: tuple[float, float, float, float]
    row: int = 0
    ink: Mask | None = None


def even_out(mask: Mask) -> Mask:
    """Return ink (H, W) with its stroke width brought into MNIST's range.

    Across a stroke of width w, the mean distance to the edge is w / 4; distances between pixel
    centers are half a pixel larger.
    """
    mask = np.pad(mask, max(mask.shape) // 4)
    depth = ndimage.distance_transform_edt(mask)
    width = 4 * (float(depth[mask].mean()) - 0.5)
    longer = max(side.stop - side.start for side in ink_box(mask))
    goal = min(max(width / longer, THINNEST), THICKEST)
    grow = (goal * longer - width) / (1 - goal) / 2  # on each side; the whole digit grows too
    if grow > 0:
        return np.asarray(ndimage.distance_transform_edt(~mask) <= grow)
    return np.asarray(depth > -grow)


def ink_box(mask: Mask) -> tuple[slice, slice]:
    """Return the rows and the columns that the ink spans."""
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    return slice(rows[0], rows[-1] + 1), slice(columns[0], columns[-1] + 1)


def fit(mask: Mask) -> Floats:
    """Scale ink (H, W) to the fine square (160, 160); its longer side fills the square."""
    ink = mask[ink_box(mask)]
    side = max(ink.shape)
    square = np.zeros((side, side), np.float32)
    square[: ink.shape[0], : ink.shape[1]] = ink
    return np.asarray(Image.fromarray(square).resize((BOX * FINE, BOX * FINE), AREA))


def place(fine: Floats | Mask) -> NDArray[np.float32]:
    """Turn the fine square (160, 160) into (28, 28) float32 with the center of mass in the middle.

    The middle is pixel 14, and shifts are by whole pixels: in MNIST, the centers of mass are evenly
    distributed between 13.5 and 14.5.
    """
    ink = fine.reshape(BOX, FINE, BOX, FINE).mean(axis=(1, 3))
    ink = ink[ink_box(ink > 0)]
    center = ndimage.center_of_mass(ink)
    top, left = (
        min(max(round(SIZE // 2 - middle), 0), SIZE - side)
        for middle, side in zip(center, ink.shape, strict=True)
    )
    digit = np.zeros((SIZE, SIZE), np.float32)
    digit[top : top + ink.shape[0], left : left + ink.shape[1]] = ink
    return digit
