"""Other programs have digits read, as the pages read them."""

import base64
import io
import json
import tempfile
import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import requests
import torch
from PIL import Image, ImageDraw

from core.config import TrainConfig
from core.errors import InkError
from core.ink.photo import from_picture
from core.ink.strokes import from_strokes
from core.my_digits import fitted
from core.reading.reader import calibrated_reader
from core.runs import builtin, catalogue, files
from core.runs.person import OWNER, Person
from core.training import checkpoint
from door import bounds

ONE = [[100.0, 20.0], [100.0, 200.0]]
SEVEN = [[200.0, 20.0], [290.0, 20.0], [230.0, 200.0]]


def picture(size: tuple[int, int] = (280, 280)) -> bytes:
    """Return a PNG of a one and a seven."""
    page = Image.new("L", size, 255)
    pencil = ImageDraw.Draw(page)
    for stroke in (ONE, SEVEN):
        pencil.line([(x * 0.8, y) for x, y in stroke], 0, 18, "curve")
    file = io.BytesIO()
    page.save(file, "PNG")
    return file.getvalue()


def form(files: Any, data: dict[str, str] | None = None) -> tuple[bytes, str]:
    """Return a form's body and its content type, as a browser or curl would send them."""
    sent = requests.Request("POST", "http://localhost", files=files, data=data).prepare()
    assert isinstance(sent.body, bytes)
    return sent.body, sent.headers["content-type"]


def check(digits: list[dict[str, Any]], found: list[Any], run: Any) -> None:
    """The digits in the answer are those that the pages would show."""
    expected = calibrated_reader(run).readings(np.stack([digit.image for digit in found]))
    assert len(digits) == len(found)
    for told, digit, read in zip(digits, found, expected, strict=True):
        assert told["digit"] == read.digit
        assert told["confidence"] == pytest.approx(read.confidence)
        assert (told["sure"], told["looks_like_a_digit"]) == (read.sure, read.looks_like_a_digit)
        assert told["candidates"] == list(read.candidates)
        assert told["probabilities"] == pytest.approx(read.probabilities.tolist())
        assert told["box"] == list(digit.box)
        head, _, content = told["image"].partition(",")
        assert head == "data:image/png;base64"
        image = np.asarray(Image.open(io.BytesIO(base64.b64decode(content))))
        np.testing.assert_array_equal(image, np.round(digit.image * 255))


def test_strokes_are_read_as_on_the_page(client: Any) -> None:
    """Strokes are returned as digits, left to right, with the built-in network's answers."""
    answer = client.post("read", {"strokes": [SEVEN, ONE]})
    assert (answer.status, answer.headers["content-type"]) == (200, "application/json")
    assert answer.json["run"] == "built-in"
    assert [digit["digit"] for digit in answer.json["digits"]] == [1, 7]
    strokes = [np.array(ONE), np.array(SEVEN)]
    check(answer.json["digits"], from_strokes(strokes), builtin.run())


def test_a_network_fitted_to_a_hand_reads_in_its_place(client: Any) -> None:
    """The name of its file is the permission; an unknown one, or none, leaves the run's own."""
    run = builtin.run()
    content = checkpoint.load(files.path(run, files.BEST))
    content["model_state_dict"]["15.bias"] = torch.arange(1000, 0, -100, dtype=torch.half)
    path = fitted.path_for(run, OWNER)
    path.parent.mkdir()
    checkpoint.save(content, path)
    for hand, expected in ((path.stem, 0), ("0" * 32, 1), ("../../x", 1), ("", 1)):
        answer = client.post(f"read?hand={hand}", {"strokes": [ONE]})
        assert [digit["digit"] for digit in answer.json["digits"]] == [expected]


def test_picture_is_read_as_on_the_page(client: Any) -> None:
    """A picture's digits come back, left to right, their boxes as shares of its sides."""
    body, kind = form({"picture": ("digits.png", picture())})
    answer = client.post("read", body, kind)
    assert answer.status == 200
    assert [digit["digit"] for digit in answer.json["digits"]] == [1, 7]
    assert all(0 <= side <= 1 for digit in answer.json["digits"] for side in digit["box"])
    check(answer.json["digits"], from_picture(picture()), builtin.run())


@pytest.mark.parametrize("how", ["id", "name"])
def test_another_network_reads(client: Any, trained: Path, how: str) -> None:
    """`?run=` names a run by its id or its name, and its own network and calibration read."""
    run = catalogue.find("cnn 1000")
    text = run.id if how == "id" else "cnn%201000"
    answer = client.post(f"read?run={text}", {"strokes": [ONE, SEVEN]})
    assert answer.json["run"] == run.id
    strokes = [np.array(ONE), np.array(SEVEN)]
    check(answer.json["digits"], from_strokes(strokes), catalogue.get(run.id))


@pytest.mark.parametrize("text", ["nobody", "f" * 32, "", "../../etc/passwd", "latest"])
def test_unknown_network_is_not_found(client: Any, text: str) -> None:
    """A network that is not there is 404, with the sentence that says so."""
    answer = client.post(f"read?run={text}", {"strokes": [ONE]})
    assert answer.status == 404
    assert answer.error.startswith("There is no ")


@pytest.mark.parametrize(
    "strokes", [[], [[]], [[[5, 5]]], [[[0, 0], [1e9, 0]]], [[[0, 0], [float("nan"), 9]]]]
)
def test_ink_without_a_digit_has_the_pages_sentence(client: Any, strokes: Any) -> None:
    """Input that the pages refuse gets status 422, with the same message."""
    with pytest.raises(InkError) as refused:
        from_strokes([np.array(stroke, float).reshape(-1, 2) for stroke in strokes])
    answer = client.post("read", {"strokes": strokes})
    assert (answer.status, answer.error) == (422, str(refused.value))


@pytest.mark.parametrize("content", [b"no picture", b"", b"\x89PNG\r\n\x1a\n" + bytes(99)])
def test_broken_picture_has_the_pages_sentence(client: Any, content: bytes) -> None:
    """A file that is not a picture is answered with 422 and the pages' message."""
    with pytest.raises(InkError) as refused:
        from_picture(content)
    answer = client.post("read", *form({"picture": ("a.png", content)}))
    assert (answer.status, answer.error) == (422, str(refused.value))


@pytest.mark.parametrize(
    "body",
    [
        *(b"", b"[", b"\xff", b'"a"', b"3", b"null", b"{}", b"[" * 900_000),
        *(b'{"strokes": 3}', b'{"strokes": [3]}', b'{"strokes": [[3]]}', b'{"strokes": "abc"}'),
        *(b'{"strokes": [[[1, 2, 3]]]}', b'{"strokes": [[["a", "b"]]]}'),
        b'{"strokes": [[[1' + b"0" * 400 + b", 1]]]}",
    ],
    ids=lambda body: body[:28].decode("latin-1"),
)
def test_malformed_json_is_answered_with_the_right_form(client: Any, body: bytes) -> None:
    """A body that is not strokes is 400, with what to send instead."""
    answer = client.post("read", body)
    assert answer.status == 400
    assert "curl -F picture=@digit.png" in answer.error


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        form({"file": ("a.png", picture())}),
        form({"picture": ("a.png", picture()), "other": ("b.png", picture())}),
        form({"picture": ("a.png", picture())}, {"more": "fields"}),
        (b"--x\r\n", "multipart/form-data; boundary=x"),
        (b"anything", "multipart/form-data; boundary=x"),
        (b"anything", "multipart/form-data"),
    ],
    ids=["other name", "two files", "a field", "cut off", "no form", "no boundary"],
)
def test_malformed_form_is_answered_with_the_right_form(
    client: Any, body: bytes, kind: str
) -> None:
    """A form without its one picture is 400, with what to send instead."""
    answer = client.post("read", body, kind)
    assert answer.status == 400
    assert "curl -F picture=@digit.png" in answer.error


@pytest.mark.parametrize(
    "kind", ["image/png", "text/plain", "", "application/x-www-form-urlencoded"]
)
def test_other_kinds_of_body_are_answered_with_the_right_form(client: Any, kind: str) -> None:
    """A body of another type gets status 415, with what to send instead."""
    answer = client.post("read", picture(), kind)
    assert answer.status == 415
    assert "curl -F picture=@digit.png" in answer.error


@pytest.mark.parametrize(
    ("kind", "most"),
    [("application/json", 2**20), ("multipart/form-data; boundary=x", 16 * 2**20)],
    ids=["json", "form"],
)
class TestBody:
    """A body is bounded by what it says of its length, and by what arrives."""

    def test_declared_length(self, client: Any, kind: str, most: int) -> None:
        """A body that says it is too long is refused before any of it is read."""
        headers = {"content-type": kind, "content-length": str(most + 1)}
        answer = client.send("POST", "read", headers=headers, pieces=[None])
        assert answer.status == 413
        assert f"at most {most // 2**20} MB" in answer.error

    @pytest.mark.parametrize("declared", [None, "10", "-1", "ten"])
    def test_arriving_length(self, client: Any, kind: str, most: int, declared: str | None) -> None:
        """A body that says nothing of its length, or lies, is refused as soon as it is too long."""
        headers = {"content-type": kind} | ({"content-length": declared} if declared else {})
        start = b'--x\r\nContent-Disposition: form-data; name="picture"; filename="a"\r\n\r\n'
        pieces = [start, *[bytes(2**16)] * (most // 2**16 + 1), None]
        answer = client.send("POST", "read", headers=headers, pieces=pieces)
        assert answer.status == 413
        assert f"at most {most // 2**20} MB" in answer.error

    def test_time(self, client: Any, kind: str, most: int, monkeypatch: pytest.MonkeyPatch) -> None:
        """A body that does not come to its end is given up."""
        monkeypatch.setattr("door.bounds._BODY_SECONDS", 0.1)
        answer = client.send(
            "POST", "read", headers={"content-type": kind}, pieces=[b"--x\r\n", None]
        )
        assert answer.status == 408
        assert "took too long" in answer.error

    def test_hanging_up(self, client: Any, kind: str, most: int) -> None:
        """A caller that disconnects while sending its body is not reported as a bug."""
        answer = client.send(
            "POST", "read", headers={"content-type": kind}, pieces=[b"--x\r\n", ...]
        )
        assert answer.status == 400
        assert "did not arrive completely" in answer.error


def test_many_points_are_refused(client: Any) -> None:
    """More points than a person can draw are refused before anything is drawn."""
    answer = client.post("read", {"strokes": [[[1, 2]] * 20_000]})
    assert answer.status == 422
    assert "more than 20,000 points" in answer.error


def test_pictures_stay_in_memory(client: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """A large picture is read where no temporary file can be written."""
    noise = np.random.default_rng(0).integers(0, 40, (1500, 1500), np.uint8)
    page = Image.fromarray(noise)
    ImageDraw.Draw(page).line([(750, 200), (750, 1300)], 255, 90)
    file = io.BytesIO()
    page.save(file, "PNG")
    assert len(file.getvalue()) > 2**20
    monkeypatch.setattr(tempfile, "tempdir", "/nowhere")
    answer = client.post("read", *form({"picture": ("large.png", file.getvalue())}))
    assert [digit["digit"] for digit in answer.json["digits"]] == [1]


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> SimpleNamespace:
    """A clock of the door's bounds that stands still until a test sets it."""
    clock = SimpleNamespace(now=time.monotonic(), monotonic=lambda: clock.now)
    monkeypatch.setattr(bounds, "time", clock)
    return clock


def test_rate_of_each_client_is_bounded(client: Any, clock: SimpleNamespace) -> None:
    """A client that sends too many is refused, others are not, and a pause lifts the limit."""
    empty = {"strokes": []}
    told = [client.post("read", empty) for _ in range(60)]
    statuses = [answer.status for answer in told]
    assert set(statuses) == {422, 429}
    assert statuses[:40] == [422] * 40
    assert told[-1].error.startswith("Too many requests: you may send 20 a second.")
    assert client.post("read", empty, address="192.0.2.2").status == 422
    clock.now += 1
    assert client.post("read", empty).status == 422


def test_class_behind_one_address_is_counted_by_person(client: Any, clock: SimpleNamespace) -> None:
    """Each person has their own rate, and many made-up people share that of their address."""

    def status(secret: str) -> int:
        cookie = f"digitlab={secret.ljust(43, '-')}.Anna"
        return int(client.post("read", {"strokes": []}, cookie=cookie).status)

    assert [status("anna") for _ in range(41)] == [422] * 40 + [429]
    assert status("ben") == 422
    statuses = [status(f"made-up-{number}") for number in range(60)]
    assert statuses[:55] == [422] * 55 and statuses[-1] == 429
    assert client.post("read", {"strokes": []}, address="192.0.2.2").status == 422


def test_rate_of_all_together_is_bounded(client: Any, clock: SimpleNamespace) -> None:
    """Many clients together cannot keep the server busy either."""
    statuses = [
        client.post("read", {"strokes": []}, address=f"192.0.2.{number}").status
        for number in range(250)
    ]
    assert set(statuses) == {422, 429}
    assert statuses[:120] == [422] * 120


def test_places_are_bounded(client: Any) -> None:
    """While others' pictures arrive, one more is refused for a while; strokes still have room."""
    body, kind = form({"picture": ("digits.png", picture())})

    async def crowd() -> tuple[Any, Any]:
        import asyncio

        arriving = [
            asyncio.create_task(client.request("POST", "read", {"content-type": kind}, [b"", None]))
            for _ in range(4)
        ]
        await asyncio.sleep(0)  # they have begun
        await asyncio.sleep(0)
        refused = await client.request("POST", "read", {"content-type": kind}, [body])
        for task in arriving:
            task.cancel()
        await asyncio.gather(*arriving, return_exceptions=True)
        return refused, await client.request("POST", "read", {"content-type": kind}, [body])

    refused, after = client.runner.run(crowd())
    assert refused.status == 503
    assert "Try again in a few seconds" in refused.error
    assert after.status == 200


def test_damaged_network_is_reported(client: Any, trained: Path) -> None:
    """A run whose network cannot be opened gives the pages' message."""
    run = catalogue.find("mlp 500")
    (run.folder / files.BEST).write_bytes(b"no network")
    answer = client.post(f"read?run={run.id}", {"strokes": [ONE]})
    assert answer.status == 400
    assert json.loads(answer.body)["error"]


def test_strangers_network_reads_once_its_run_has_finished(
    client: Any, trained: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In a demo, no network of a run in progress reads for others, and none is found by name."""
    monkeypatch.setenv("DIGITLAB_DEMO", "1")
    finished = catalogue.listed()[0]
    assert client.post(f"read?run={finished.id}", {"strokes": [ONE]}).status == 200
    assert client.post("read?run=built-in", {"strokes": [ONE]}).status == 200
    stranger = Person("visitor", "f" * 32)
    going = catalogue.create(TrainConfig(), "sample", name="going", by=stranger)
    refused = client.post(f"read?run={going.id}", {"strokes": [ONE]})
    assert refused.status == 404 and "another visitor's" in refused.error
    for name in ("going", "latest"):
        assert "whole id" in client.post(f"read?run={name}", {"strokes": [ONE]}).error
