"""The door's routes under `api/`, and their error messages.

Every error is JSON, {"error": sentence}, with the sentence that a page would show.
"""

import sys
import tomllib
from functools import lru_cache
from pathlib import Path
from typing import Any

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Mount, Route

from core.errors import InkError, RunError, StoreError, UserError
from core.training import device
from door.bounds import Rate, RefusedError
from door.live import Watching
from door.reading import Readings

_STATUS = {RunError: 404, InkError: 422, StoreError: 503}  # any other UserError: 400
_SENTENCES = {
    404: "There is nothing here. The README lists the addresses under api/.",
    405: "This address takes another method. The README lists them.",
}
_BUG = "Digit Lab could not answer: this is a bug. The server's log says what happened."
_SLOW = ("torch", "mlflow")  # libraries that take seconds to load, so they load when first needed


def door(base: str = "") -> Mount:
    """Return all routes; `base` is the path under which the pages are served."""
    rate, readings, watching = Rate(each=60, together=300), Readings(), Watching()

    async def health(request: Request) -> Response:
        rate.admit(request)
        return JSONResponse(await run_in_threadpool(_health))

    app = Starlette(
        routes=[
            Route("/health", health),
            Route("/read", readings.read, methods=["POST"]),
            Route("/runs/{run_id}/live", watching.live),
        ],
        exception_handlers=dict.fromkeys((UserError, HTTPException, Exception), _failed),
    )
    base = base.strip("/")
    return Mount(f"/{base}/api" if base else "/api", app)


def _health() -> dict[str, Any]:
    """Return the version, and what is known about the device without loading a library."""
    loaded = [name for name in _SLOW if name in sys.modules]
    met = device.choose() if "torch" in loaded else None  # waits while torch is being loaded
    return {
        "version": _version(),
        "device": met and met.kind,
        "precision": met and met.precision,
        "loaded": loaded,
    }


@lru_cache(maxsize=1)
def _version() -> str:
    project = tomllib.loads((Path(__file__).parents[1] / "pyproject.toml").read_text())
    return str(project["project"]["version"])


def _failed(request: Request, error: Exception) -> Response:
    """Return the response for an error; Starlette raises a bug again, for the server's log."""
    status, sentence, headers = 500, _BUG, None
    if isinstance(error, RefusedError):
        status, sentence = error.status, str(error)
    elif isinstance(error, UserError):
        status, sentence = _STATUS.get(type(error), 400), str(error)
    elif isinstance(error, HTTPException):
        status, headers = error.status_code, error.headers
        sentence = _SENTENCES.get(status, error.detail)
    return JSONResponse({"error": sentence}, status, headers)
