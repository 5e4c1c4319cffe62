"""Limits for callers: the rate of requests, the size of a body, and the work in progress.

Everything here runs in one event loop, so nothing needs a lock.
"""

import asyncio
import time
from collections.abc import AsyncGenerator, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import ParamSpec, TypeVar

from starlette.requests import ClientDisconnect, Request

from core.errors import UserError
from door.caller import caller

P = ParamSpec("P")
T = TypeVar("T")

_BURST = 2.0  # seconds' worth of requests that may come at once
_CLIENTS = 1_000  # callers that are remembered; a forgotten one starts with a full bucket
_ONE_ADDRESS = 0.8  # an address's share of the rate for all callers together
_BODY_SECONDS = 20.0  # for a whole body to arrive


class RefusedError(UserError):
    """A request is refused, with an HTTP status and a message for the caller."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


class Rate:
    """Limits on requests per second: for each caller, for each address, and for all together.

    A caller is a person if the browser says who, or else the address. A class, or the visitors
    behind a proxy, share one address. Since a browser may claim to be anybody, the address has a
    limit too.
    """

    def __init__(self, each: float, together: float) -> None:
        """`each` and `together` are requests per second."""
        self._callers = _Buckets(each, "you")
        self._addresses = _Buckets(_ONE_ADDRESS * together, "all at your address together")
        self._all = _Buckets(together, "all callers together")

    def admit(self, request: Request) -> None:
        """Count a request. Raises RefusedError if the caller, the address or all send too many."""
        address = request.client.host if request.client else ""
        now = time.monotonic()
        asked = (
            (self._callers, caller(request).tag or address),
            (self._addresses, address),
            (self._all, ""),
        )
        for buckets, name in asked:
            buckets.check(name, now)
        for buckets, name in asked:
            buckets.take(name)


class _Buckets:
    """Token buckets by name, filled at the same rate."""

    def __init__(self, rate: float, whose: str) -> None:
        self._rate, self._whose = rate, whose
        self._tokens: dict[str, tuple[float, float]] = {}  # how many, and when

    def check(self, name: str, now: float) -> None:
        """Raise RefusedError if a bucket is empty."""
        full = _BURST * self._rate
        tokens, then = self._tokens.pop(name, (full, now))
        tokens = min(full, tokens + (now - then) * self._rate)
        self._tokens[name] = tokens, now
        if len(self._tokens) > _CLIENTS:
            del self._tokens[next(iter(self._tokens))]  # the least recently used one
        if tokens < 1:
            raise RefusedError(
                429,
                f"Too many requests: {self._whose} may send {self._rate:g} a second. Wait a second "
                "and try again.",
            )

    def take(self, name: str) -> None:
        """Take a token out of a bucket that has just been checked."""
        tokens, then = self._tokens[name]
        self._tokens[name] = tokens - 1, then


class Work:
    """A few threads that compute, and a limited number of places for requests that wait."""

    def __init__(self, threads: int, places: int, seconds: float) -> None:
        """A request waits `seconds` at most."""
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix="door")
        self._free, self._seconds = places, seconds

    @contextmanager
    def place(self, size: int = 1) -> Iterator[None]:
        """Hold a place, or several for a large request. Raises RefusedError if too few are free."""
        if self._free < size:
            raise RefusedError(503, "Too many requests are under way. Try again in a few seconds.")
        self._free -= size
        try:
            yield
        finally:
            self._free += size

    async def do(self, function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Call a function in one of the threads. Raises RefusedError if it takes too long."""
        job = self._pool.submit(function, *args, **kwargs)
        future = asyncio.wrap_future(job)
        await asyncio.wait([future], timeout=self._seconds)
        if not future.done():
            job.cancel()  # it has no effect if the function is already running
            raise RefusedError(
                503, f"No answer within {self._seconds:g} seconds. Try again in a few seconds."
            )
        return future.result()


async def pieces(request: Request, most: int) -> AsyncGenerator[bytes]:
    """Yield the body as it arrives. Raises RefusedError past `most` bytes, or if it is slow."""
    too_long = f"The body is too large: at most {most // 2**20} MB. Send a smaller one."
    declared = request.headers.get("content-length", "")
    if declared.isdecimal() and int(declared) > most:
        raise RefusedError(413, too_long)
    arrived = 0
    end = time.monotonic() + _BODY_SECONDS
    stream = request.stream()
    while True:
        try:
            piece = await asyncio.wait_for(anext(stream), end - time.monotonic())
        except StopAsyncIteration:
            return
        except TimeoutError:
            raise RefusedError(408, "The body took too long to arrive. Send it again.") from None
        except ClientDisconnect:
            raise RefusedError(400, "The body did not arrive completely. Send it again.") from None
        arrived += len(piece)
        if arrived > most:
            raise RefusedError(413, too_long)
        yield piece
