"""Limits for callers: the rate, the size of a body, the work under way.

Everything here belongs to one event loop, so that nothing needs a lock.
"""

import asyncio
import time
from collections.abc import AsyncGenerator, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import ParamSpec, TypeVar

from starlette.requests import ClientDisconnect, Request

from core.errors import UserError

P = ParamSpec("P")
T = TypeVar("T")

_BURST = 2.0  # seconds' worth of requests that may come at once
_CLIENTS = 1_000  # addresses that are remembered; a forgotten one starts afresh
_BODY_SECONDS = 20.0  # for a whole body to arrive


class RefusedError(UserError):
    """A request that is refused with an HTTP status, and a sentence for the caller."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


class Rate:
    """Token buckets: one for each client's address, and one for all together."""

    def __init__(self, each: float, together: float) -> None:
        """`each` and `together` are requests a second."""
        self._each, self._together = each, together
        self._buckets: dict[str, tuple[float, float]] = {}  # address → tokens, when
        self._common = (_BURST * together, time.monotonic())

    def admit(self, request: Request) -> None:
        """Count a request. Raises RefusedError if its client, or all together, send too many."""
        address = request.client.host if request.client else ""
        now = time.monotonic()
        bucket = self._buckets.pop(address, (_BURST * self._each, now))
        self._buckets[address] = bucket = self._filled(bucket, self._each, now)
        if len(self._buckets) > _CLIENTS:
            del self._buckets[next(iter(self._buckets))]  # not heard of for longest
        self._common = self._filled(self._common, self._together, now)
        if bucket[0] < 1 or self._common[0] < 1:
            limit = self._each if bucket[0] < 1 else self._together
            whose = "you" if bucket[0] < 1 else "all callers together"
            raise RefusedError(
                429,
                f"Too many requests: {whose} may send {limit:g} a second. Wait a second and try "
                "again.",
            )
        self._buckets[address] = bucket[0] - 1, now
        self._common = self._common[0] - 1, now

    @staticmethod
    def _filled(bucket: tuple[float, float], rate: float, now: float) -> tuple[float, float]:
        tokens, then = bucket
        return min(_BURST * rate, tokens + (now - then) * rate), now


class Work:
    """A few threads that compute, and a few places for the requests that wait for them."""

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
        """Call a function in one of the threads. Raises RefusedError if that takes too long."""
        job = self._pool.submit(function, *args, **kwargs)
        future = asyncio.wrap_future(job)
        await asyncio.wait([future], timeout=self._seconds)
        if not future.done():
            job.cancel()  # what has not begun never does
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
            raise RefusedError(400, "The body did not arrive whole. Send it again.") from None
        arrived += len(piece)
        if arrived > most:
            raise RefusedError(413, too_long)
        yield piece
