"""The parts of a report: one self-contained HTML page that prints on A4.

`Html` is text that is HTML already; all other text is escaped.
"""

import base64
import io
import re
from collections.abc import Iterable, Sequence
from html import escape
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from core.figures.palette import ACCENT, WRONG

_STYLE = f"""
@page {{ size: A4; margin: 14mm 15mm }}
* {{ box-sizing: border-box }}
body {{ font: 15px/1.5 system-ui, sans-serif; color: #1f2328; background: #fff;
  max-width: 60rem; margin: 2rem auto; padding: 0 1.2rem;
  -webkit-print-color-adjust: exact; print-color-adjust: exact }}
h1 {{ font-size: 1.7rem; margin: 0; overflow-wrap: anywhere }}
h2 {{ font-size: 1.15rem; margin: 2rem 0 0.6rem; padding-top: 0.6rem;
  border-top: 1px solid #d8dce1; break-after: avoid }}
p {{ margin: 0.4rem 0; max-width: 44rem; overflow-wrap: anywhere }}
.quiet, figcaption, .legend {{ color: #59636e; font-size: 0.85rem }}
.numbers {{ display: flex; flex-wrap: wrap; gap: 0.4rem 2rem; margin: 1rem 0 }}
.numbers div {{ min-width: 6rem }}
.numbers b {{ display: block; font-size: 1.5rem; font-weight: 600 }}
.scroll {{ overflow-x: auto }}
table {{ border-collapse: collapse; font-variant-numeric: tabular-nums; font-size: 0.88rem }}
th, td {{ text-align: left; padding: 0.22rem 0.9rem 0.22rem 0; vertical-align: top;
  border-bottom: 1px solid #e6e9ec; overflow-wrap: break-word }}
th {{ font-weight: 600 }}
tr, .short {{ break-inside: avoid }}
.short td, .short th {{ white-space: nowrap }}
.changed {{ color: {ACCENT}; font-weight: 600 }}
.matrix td, .matrix th {{ text-align: center; vertical-align: middle; padding: 0;
  width: 2.6rem; height: 2.1rem; border: 1px solid #fff }}
.beside {{ display: grid; grid-template-columns: repeat(auto-fit, minmax(19rem, 1fr));
  gap: 0.6rem 1.6rem }}
figure {{ margin: 0; break-inside: avoid; max-width: 36rem }}
figcaption {{ color: #1f2328; font-weight: 600 }}
svg {{ width: 100%; height: auto; display: block; font-size: 12px; fill: #59636e }}
.grid {{ stroke: #e6e9ec }}
.legend span {{ display: inline-block; margin-right: 1.1rem; overflow-wrap: anywhere }}
.legend i {{ display: inline-block; width: 0.7rem; height: 0.7rem; margin-right: 0.35rem;
  border-radius: 2px }}
.digits {{ display: flex; flex-wrap: wrap; gap: 0.7rem }}
.digits figure {{ width: 5.2rem; text-align: center; font-size: 0.72rem; line-height: 1.25 }}
.digits img {{ width: 56px; height: 56px; image-rendering: pixelated; display: block;
  margin: 0 auto 0.15rem; border: 2px solid {WRONG}; border-radius: 3px }}
@media print {{ html {{ font-size: 12px }} body {{ margin: 0; padding: 0; font-size: 1rem }}
  .scroll {{ overflow: visible }} th, td {{ overflow-wrap: anywhere }} }}
"""

_WITHIN_A_NUMBER = re.compile(r"(?<=[\d±]) (?=[\d±%])")


class Html(str):
    """Text that is HTML, in which people's own text is already escaped."""


class Number(NamedTuple):
    """A number that is shown large, with a title above it and a remark below."""

    title: str
    value: str
    remark: str = ""


def page(title: str, parts: Iterable[str]) -> str:
    """Return a whole page: `title` as a heading, and below it parts, each of them Html."""
    return (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        # Nothing is fetched and no script runs, whatever is in the page.
        '<meta http-equiv="Content-Security-Policy" content="default-src \'none\'; img-src data:; '
        "style-src 'unsafe-inline'\">\n"
        f"<title>{escape(title)}</title>\n<style>{_STYLE}</style>\n</head>\n<body>\n"
        f"<h1>{escape(title)}</h1>\n{chr(10).join(parts)}\n</body>\n</html>\n"
    )


def text(value: str) -> str:
    """Return a value as HTML: Html as it is, other text escaped."""
    return value if isinstance(value, Html) else escape(value)


def paragraph(*parts: str, quiet: bool = False) -> Html:
    """Return a paragraph of parts after each other."""
    style = ' class="quiet"' if quiet else ""
    return Html(f"<p{style}>{''.join(map(text, parts))}</p>")


def bold(words: str) -> Html:
    """Return words in bold."""
    return Html(f"<b>{text(words)}</b>")


def heading(words: str) -> Html:
    """Return the heading of a part."""
    return Html(f"<h2>{text(words)}</h2>")


def numbers(found: Iterable[Number]) -> Html:
    """Return numbers in a row, each with its title above and its remark below."""
    each = (
        f'<div><span class="quiet">{text(one.title)}</span><b>{text(one.value)}</b>'
        f'<span class="quiet">{text(one.remark)}</span></div>'
        for one in found
    )
    return Html(f'<div class="numbers">{"".join(each)}</div>')


def table(columns: Sequence[str], rows: Iterable[Sequence[str]], *, is_short: bool = False) -> Html:
    """Return a table with a header; a short one has no line breaks and stays on one page."""
    head = "".join(f"<th>{text(one)}</th>" for one in columns)
    body = "".join(f"<tr>{''.join(map(_cell, row))}</tr>" for row in rows)
    style = ' class="short"' if is_short else ""
    return Html(f'<div class="scroll"><table{style}><tr>{head}</tr>{body}</table></div>')


def _cell(value: str) -> str:
    """Return a table's cell, in which a number stays on one line with its unit and deviation."""
    return f"<td>{_WITHIN_A_NUMBER.sub(chr(0xA0), text(value))}</td>"


def below(words: str, *remarks: str) -> Html:
    """Return words with remarks below them, each on a line of its own."""
    return Html(f'{text(words)}<br><span class="quiet">{"<br>".join(map(text, remarks))}</span>')


def beside(parts: Iterable[str]) -> Html:
    """Return parts beside each other where there is room."""
    return Html(f'<div class="beside">{"".join(parts)}</div>')


def matrix(counts: NDArray[np.int64]) -> Html:
    """Return `(10, 10)` counts, a row per true digit, as a table; mistakes are shaded by share."""
    shares = np.log1p(1_000 * counts / np.maximum(counts.sum(1, keepdims=True), 1)) / np.log(1_001)
    head = "".join(f"<th>{digit}</th>" for digit in range(10))
    rows = [f"<tr><th></th>{head}</tr>"]
    for truth in range(10):
        cells = []
        for answer in range(10):
            count, share = int(counts[truth, answer]), float(shares[truth, answer])
            color = "15, 139, 141" if truth == answer else "229, 72, 77"  # ACCENT, WRONG
            strength = 0.22 if truth == answer else 0.75 * share
            style = f' style="background: rgba({color}, {strength:.2f})"' if count else ""
            cells.append(f"<td{style}>{count or ''}</td>")
        rows.append(f"<tr><th>{truth}</th>{''.join(cells)}</tr>")
    return Html(f'<div class="scroll"><table class="matrix">{"".join(rows)}</table></div>')


def digits(images: NDArray[np.uint8], captions: Sequence[str]) -> Html:
    """Return `(N, 28, 28)` digits as pictures, each with its caption below."""
    each = (
        f'<figure><img src="{_data_url(image)}" alt="{escape(caption)}">{escape(caption)}</figure>'
        for image, caption in zip(images, captions, strict=True)
    )
    return Html(f'<div class="digits">{"".join(each)}</div>')


def _data_url(image: NDArray[np.uint8]) -> str:
    file = io.BytesIO()
    Image.fromarray(image).save(file, "PNG", optimize=True)
    return "data:image/png;base64," + base64.b64encode(file.getvalue()).decode()
