"""No caller gets more than its share."""

import asyncio
import threading

import pytest

from door.bounds import RefusedError, Work


def test_queue_has_so_many_places() -> None:
    """A request beyond the places is refused, and a place that was left is free again."""
    work = Work(threads=1, places=4, seconds=1)
    with work.place(3):
        with work.place():
            pass
        refusal = pytest.raises(RefusedError, match="Too many requests are under way")
        with refusal as refused, work.place(2):
            pass
        assert refused.value.status == 503
    with work.place(4):
        pass


def test_what_takes_too_long_is_given_up() -> None:
    """A caller gets its answer in time, whatever a thread is doing, and the next one waits less."""
    release, begun = threading.Event(), []

    async def both() -> None:
        work = Work(threads=1, places=2, seconds=0.2)
        for name in ("busy", "waits"):
            with pytest.raises(RefusedError, match=r"No answer within 0\.2 seconds") as refused:
                await work.do(lambda name=name: (begun.append(name), release.wait(20)))
            assert refused.value.status == 503
        release.set()
        assert await work.do(lambda: "free again") == "free again"

    asyncio.run(both())
    assert begun == ["busy"]


def test_errors_of_the_work_are_the_callers() -> None:
    """An error of the function, even its own timeout, is raised in the caller."""

    def slow() -> None:
        raise TimeoutError("of its own")

    with pytest.raises(TimeoutError, match="of its own"):
        asyncio.run(Work(threads=1, places=1, seconds=5).do(slow))
