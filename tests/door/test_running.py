"""The door beside the pages, through the server that `streamlit run` starts."""

import http.client
import io
from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import requests
from PIL import Image, ImageDraw

ROOT = Path(__file__).parents[2]


def one() -> bytes:
    """Return a PNG of a one."""
    page = Image.new("L", (200, 200), 255)
    ImageDraw.Draw(page).line([(100, 20), (100, 180)], 0, 18)
    file = io.BytesIO()
    page.save(file, "PNG")
    return file.getvalue()


@pytest.mark.parametrize("base", ["", "lab/digits"])
def test_door_stands_beside_the_pages(serve: Callable[..., str], tmp_path: Path, base: str) -> None:
    """One server answers for pages and door, under a base path too, and writes no file for it."""
    address = serve(ROOT / "streamlit_app.py", {"STREAMLIT_SERVER_BASE_URL_PATH": base})
    for page in ("", "train", "classroom"):
        told = requests.get(f"{address}/{page}", timeout=20)
        assert told.status_code == 200 and "text/html" in told.headers["content-type"]
        assert ("window.__streamlit = {BACKEND_BASE_URL" in told.text) == (page != "")
        assert told.headers["cache-control"] == "no-cache"

    health = requests.get(f"{address}/api/health", timeout=20)
    assert health.json()["version"]
    assert "set-cookie" not in health.headers

    files = {"picture": ("digit.png", one())}
    read = requests.post(f"{address}/api/read", files=files, timeout=60)
    assert [digit["digit"] for digit in read.json()["digits"]] == [1]
    strokes = {"strokes": [[[100, 20], [100, 180]]]}
    read = requests.post(f"{address}/api/read", json=strokes, timeout=60)
    assert [digit["digit"] for digit in read.json()["digits"]] == [1]
    assert not (tmp_path / "runs").exists()

    live = requests.get(f"{address}/api/runs/built-in/live", timeout=20)
    assert live.json()["state"] == "finished"
    unknown = requests.get(f"{address}/api/runs/nobody/live", timeout=20)
    assert (unknown.status_code, list(unknown.json())) == (404, ["error"])
    if base:
        root = address.removesuffix(f"/{base}")
        assert requests.get(f"{root}/api/health", timeout=20).status_code == 404

    # A picture that says it is too large is refused before it is sent.
    parts = urlsplit(address)
    connection = http.client.HTTPConnection(parts.netloc, timeout=20)
    connection.putrequest("POST", f"{parts.path}/api/read")
    connection.putheader("content-type", "multipart/form-data; boundary=x")
    connection.putheader("content-length", str(2**30))
    connection.endheaders()
    assert connection.getresponse().status == 413
    connection.close()
