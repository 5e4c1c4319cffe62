"""Pictures: paper, light and kinds of files that do not matter, and what is refused."""

import io
import struct
import tracemalloc
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageOps

from core.errors import InkError
from core.ink.photo import FORMATS, from_picture, upright
from tests.core.ink.drawings import (
    ONE,
    SEVEN,
    apart,
    digit_in_picture,
    file,
    page,
)


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


def test_polarity_does_not_matter() -> None:
    """Black on white and white on black are the same digit."""
    black = page(SEVEN)
    assert apart(digit_in_picture(black), digit_in_picture(ImageOps.invert(black))) < 0.001


@pytest.mark.parametrize("crop", [(51, 41, 209, 249), (45, 35, 280, 280)])
def test_crop_does_not_matter(crop: tuple[int, int, int, int]) -> None:
    """A digit that fills its picture to the edges is found as well as one with a margin."""
    picture = page(SEVEN)
    assert apart(digit_in_picture(picture.crop(crop)), digit_in_picture(picture)) < 0.01


def photo(slope: float, noise: float = 0.03) -> Image.Image:
    """A 7 on gray paper whose light falls by `slope` from left to right."""
    tones = 0.3 + 0.5 * np.pad(np.asarray(page(SEVEN)) / 255, 60, constant_values=1)
    tones *= np.linspace(1, 1 - slope, tones.shape[1])
    tones += np.random.default_rng(0).normal(0, noise, tones.shape)
    return Image.fromarray((tones.clip(0, 1) * 255).astype(np.uint8))


@pytest.mark.parametrize("slope", [0, 0.3, 0.6])
def test_shading_and_noise(slope: float) -> None:
    """Gray paper, grain and light from one side do not change the digit."""
    assert apart(digit_in_picture(photo(slope)), digit_in_picture(page(SEVEN))) < 0.01


@pytest.mark.parametrize("kind", FORMATS)
@pytest.mark.parametrize("mode", ["L", "RGB"])
def test_kinds_of_files(kind: str, mode: str) -> None:
    """Each format, gray or in color, gives the same digit."""
    data = file(page(SEVEN).convert(mode), kind)
    assert apart(digit_in_picture(data), digit_in_picture(page(SEVEN))) < 0.005


@pytest.mark.parametrize("mode", ["1", "P", "LA", "RGBA", "CMYK", "I;16"])
def test_modes(mode: str, tmp_path: Path) -> None:
    """Bilevel, palette, alpha, CMYK and 16-bit gray give the same digit, from a path too."""
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


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP", "TIFF", "AVIF"])
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


@pytest.mark.parametrize("kind", ["GIF", "TIFF"])
def test_first_of_several_pictures(kind: str) -> None:
    """Of a GIF, and of a scan with several pages, the first is read."""
    data = file(page(SEVEN), kind, save_all=True, append_images=[page(ONE)])
    assert apart(digit_in_picture(data), digit_in_picture(page(SEVEN))) < 0.005


def test_phones_own_format_is_named() -> None:
    """HEIC is not read; the message says what to save it as."""
    data = b"\0\0\0\x18ftypheic\0\0\0\0mif1heic" + bytes(200)
    with pytest.raises(InkError, match=r"HEIC.*Save it as JPEG"):
        digit_in_picture(data)


@pytest.mark.parametrize("data", [b"", b"no picture", b"\x89PNG\r\n\x1a\n", file(page(ONE), "PPM")])
def test_no_picture(data: bytes) -> None:
    """Empty files, text and other formats are refused, with the formats that can be read."""
    with pytest.raises(InkError, match="PNG, JPEG, WebP, BMP"):
        digit_in_picture(data)


@pytest.mark.parametrize("kind", FORMATS)
def test_truncated_picture(kind: str) -> None:
    """A file that ends half-way is refused."""
    data = file(page(SEVEN), kind)
    with pytest.raises(InkError, match="Upload"):
        digit_in_picture(data[: len(data) // 2])


@pytest.mark.slow
def test_damaged_pictures() -> None:
    """A file with any wrong bytes is read or refused; nothing worse happens."""
    random = np.random.default_rng(0)
    refused = 0
    for kind in FORMATS:
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


LARGE = page(SEVEN).resize((4_000, 3_200))  # 12.8 megapixels


@pytest.mark.parametrize(
    ("kind", "options"),
    [("PNG", {"compress_level": 1}), ("WEBP", {"method": 0}), ("JPEG", {"progressive": True})],
)
def test_what_is_decoded_whole_has_fewer_pixels(kind: str, options: dict[str, Any]) -> None:
    """A file that must be in memory in full is reduced to 12 megapixels to find its ink."""
    data = file(LARGE, kind, **options)
    for read in (from_picture, lambda data: upright(data, 560)):
        with pytest.raises(InkError, match="at most 12 megapixels, unless it is an ordinary JPEG"):
            read(data)


def test_phones_largest_photo_is_decoded_small() -> None:
    """An ordinary JPEG of 39 megapixels is read, and shown, from an eighth of its sides."""
    data = file(page(SEVEN).resize((6_200, 6_200)), "JPEG")
    assert apart(digit_in_picture(data), digit_in_picture(page(SEVEN))) < 0.005
    assert max(upright(data, 560).size) <= 560


@pytest.mark.parametrize("mode", ["1", "L", "P", "RGBA", "I;16"])
def test_picture_to_show_is_upright_small_and_in_color(mode: str) -> None:
    """It is the picture that the digits' boxes are shares of, as a person sees it."""
    picture = page(SEVEN, side=600).crop((0, 0, 600, 300))
    picture = (
        Image.fromarray(np.asarray(picture, np.uint16) * 257)
        if mode == "I;16"
        else picture.convert(mode)
    )
    exif = Image.Exif()
    exif[0x0112] = 6
    shown = upright(file(picture, exif=exif), 560)
    assert (shown.mode, shown.size) == ("RGB", (150, 300))
    assert shown.convert("L").getextrema() == (0, 255)
