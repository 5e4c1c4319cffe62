"""`POST api/read`: read the digits in a picture or in strokes, exactly as the pages do."""

import json
import re
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from starlette.datastructures import UploadFile
from starlette.formparsers import MultiPartException, MultiPartParser
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from core.errors import InkError, RunError
from core.evaluation.calibration import Calibration
from core.jobs import limits
from core.my_digits import fitted
from core.runs import catalogue, files
from core.runs.person import Person
from core.runs.run import BUILTIN, Run
from door.bounds import Rate, RefusedError, Work, pieces
from door.caller import caller

if TYPE_CHECKING:  # scipy and torch take seconds: the server starts without
    from core.ink.normalization import Digit
    from core.reading.reader import Reader

PICTURE_BYTES, JSON_BYTES = 16 * 2**20, 2**20
_PICTURE_PLACES = 4  # places that a picture takes, since it needs more memory than strokes
_NETWORKS = 4  # kept in memory

_HOW = (
    "Send a form with one file called picture, as `curl -F picture=@digit.png` does, or JSON: "
    '{"strokes": [[[x, y], …], …]}.'
)


class Readings:
    """Answers callers with the digits in the pictures or strokes that they send."""

    def __init__(self) -> None:
        self._rate = Rate(each=20, together=60)
        self._work = Work(threads=2, places=16, seconds=20)

    async def read(self, request: Request) -> Response:
        """Answer with the digits, left to right. Raises UserError."""
        self._rate.admit(request)
        asked, who = request.query_params, caller(request)
        run, hand = asked.get("run", BUILTIN), asked.get("hand", "")
        kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
        if kind == "multipart/form-data":
            with self._work.place(_PICTURE_PLACES):
                picture = await _picture(request)
                return JSONResponse(await self._work.do(_read_picture, picture, run, hand, who))
        if kind == "application/json":
            with self._work.place():
                content = b"".join([piece async for piece in pieces(request, JSON_BYTES)])
                return JSONResponse(await self._work.do(_read_strokes, content, run, hand, who))
        raise RefusedError(415, _HOW)


class _InMemory(MultiPartParser):
    """Starlette's parser, but files over 1 MB stay in memory too, instead of going to the disk."""

    spool_max_size = PICTURE_BYTES + 1


async def _picture(request: Request) -> bytes:
    """Return the content of the form's file. Raises RefusedError."""
    stream = pieces(request, PICTURE_BYTES)
    try:
        form = await _InMemory(request.headers, stream, max_files=1, max_fields=0).parse()
    except MultiPartException:
        raise RefusedError(400, _HOW) from None
    try:
        file = form.get("picture")
        if not isinstance(file, UploadFile):
            raise RefusedError(400, _HOW)
        return await file.read()
    finally:
        await form.close()


def _read_picture(content: bytes, run: str, hand: str, who: Person) -> dict[str, Any]:
    from core.ink.photo import from_picture

    return _answer(from_picture(content), run, hand, who)


def _read_strokes(content: bytes, run: str, hand: str, who: Person) -> dict[str, Any]:
    import numpy as np

    from core.ink.strokes import MAX_POINTS, from_strokes

    try:
        strokes = json.loads(content)["strokes"]
        if len(strokes) + sum(map(len, strokes)) > MAX_POINTS:
            raise InkError(f"The drawing has more than {MAX_POINTS:,} points. Draw less.")
        arrays = [np.asarray(stroke, float).reshape(len(stroke), 2) for stroke in strokes]
    except (KeyError, OverflowError, RecursionError, TypeError, ValueError):
        raise RefusedError(400, _HOW) from None
    return _answer(from_strokes(arrays), run, hand, who)


def _answer(found: "list[Digit]", text: str, hand: str, who: Person) -> dict[str, Any]:
    from core.reading import one_or_two
    from core.reading.answer import answer

    run = _run(text, who)
    reader = _reader(run.id, files.network_epoch(run), run.calibration, *_fitted(hand))
    return {"run": run.id, **answer(*one_or_two.read_all(reader, found))}


def _run(text: str, who: Person) -> Run:
    """Return the run with this id or name if the caller may see it. Raises RunError, StoreError."""
    if text == BUILTIN or re.fullmatch("[0-9a-f]{32}", text):
        return limits.get(who, text)
    if limits.is_demo():  # a search by name would reveal runs that the caller may not see
        raise RunError("In the public demo, give the whole id of a run, or built-in.")
    return catalogue.find(text)


def _fitted(hand: str) -> tuple[Path | None, int]:
    """Return the path and time of a network fitted to a hand; None and 0 if there is none."""
    path = fitted.path_of(hand)
    if not re.fullmatch("[0-9a-f]{32}", hand) or not path.exists():
        return None, 0
    return path, path.stat().st_mtime_ns


@lru_cache(maxsize=_NETWORKS)
def _reader(
    run_id: str,
    epoch: int | None,
    calibration: Calibration,
    path: Path | None,
    changed: int,
) -> "Reader":
    """Return a reader for a run's network, or for the one at `path`.

    The other arguments are part of the cache's key, so that a changed network is loaded again.
    """
    from core.reading.reader import calibrated_reader

    return calibrated_reader(catalogue.get(run_id), path)
