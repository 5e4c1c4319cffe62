"""The door's routes, called without a server: each request is what a server would hand them."""

import asyncio
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from types import EllipsisType
from typing import Any

import pytest
from starlette.applications import Starlette

from door.routes import door


@dataclass(frozen=True)
class Answer:
    """A response."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        """The body, which must be JSON as the standard has it."""
        return json.loads(self.body, parse_constant=lambda name: pytest.fail(f"{name} in JSON"))

    @property
    def error(self) -> str:
        """The sentence of a response that has nothing else."""
        assert list(self.json) == ["error"]
        return str(self.json["error"])


class Client:
    """A client that sends requests within one event loop."""

    def __init__(self, app: Starlette) -> None:
        self._app, self.runner = app, asyncio.Runner()

    def get(self, path: str, **options: Any) -> Answer:
        """GET a path under api/."""
        return self.send("GET", path, **options)

    def post(
        self, path: str, body: Any, kind: str = "application/json", cookie: str = "", **options: Any
    ) -> Answer:
        """POST a body: bytes as they are, anything else as JSON."""
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        headers = {"content-type": kind, "content-length": str(len(content))}
        headers |= {"cookie": cookie} if cookie else {}
        return self.send("POST", path, headers=headers, pieces=[content], **options)

    def send(self, method: str, path: str, **options: Any) -> Answer:
        """Send one request and wait for its answer."""
        return self.runner.run(self.request(method, path, **options))

    async def request(
        self,
        method: str,
        path: str,
        headers: dict[str, str] | None = None,
        pieces: Sequence[bytes | EllipsisType | None] = (b"",),
        address: str = "192.0.2.1",
    ) -> Answer:
        """Send a request whose body arrives in pieces.

        A last piece of None never arrives; at one of `...` the caller hangs up.
        """
        path, _, query = path.partition("?")
        scope = {
            "type": "http",
            "method": method,
            "path": f"/api/{path}",
            "raw_path": f"/api/{path}".encode(),
            "query_string": query.encode(),
            "headers": [(k.encode(), v.encode()) for k, v in (headers or {}).items()],
            "client": (address, 1),
            "server": ("testserver", 80),
            "scheme": "http",
            "http_version": "1.1",
            "root_path": "",
        }
        waiting, sent = list(pieces), []

        async def receive() -> dict[str, Any]:
            piece = waiting.pop(0)
            if piece is None:
                await asyncio.Event().wait()
            if piece is ...:
                return {"type": "http.disconnect"}
            return {"type": "http.request", "body": piece, "more_body": bool(waiting)}

        async def send(message: Any) -> None:
            sent.append(message)

        try:
            await self._app(scope, receive, send)
        except Exception:  # a bug, which Starlette raises again once the caller has been told
            assert sent and sent[0]["status"] == 500
        start, *body = sent
        told = {key.decode(): value.decode() for key, value in start["headers"]}
        return Answer(start["status"], told, b"".join(part["body"] for part in body))


@pytest.fixture
def client() -> Iterator[Client]:
    """A client of a door of its own, with full buckets."""
    client = Client(Starlette(routes=[door()]))
    with client.runner:
        yield client
