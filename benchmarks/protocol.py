"""A visitor without a browser: Streamlit's own messages over its websocket, and the door by HTTP.

It does what a browser does to the server: opens pages, sends what widgets were set to, runs
fragments again at their interval, reads every message; it draws nothing.
"""

import asyncio
import json
import secrets
import time
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, suppress
from typing import Any
from urllib.parse import quote

from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ClientState_pb2 import ClientState
from streamlit.proto.Element_pb2 import Element
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from streamlit.proto.WidgetStates_pb2 import WidgetState
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

PATIENCE = 120.0  # seconds after which an answer counts as never given
_ALERT_ERROR = 1  # streamlit.proto.Alert_pb2.Alert.ERROR


class Visitor:
    """One browser tab: what it knows of the page, and what it can do there."""

    def __init__(self, address: str, socket: ClientConnection, cookie: str) -> None:
        self.cookie = cookie
        self.errors: list[str] = []  # of the page's last run
        self._host, self._socket = address.removeprefix("http://"), socket
        self._ids: dict[str, str] = {}  # of the page's widgets, by their key
        self._fragments: dict[str, str] = {}  # of the widgets that are in one, by the widget's id
        self._pages: dict[str, str] = {}  # hashes, by the path in the address
        self._page = ""
        self._kept: dict[str, WidgetState] = {}  # what widgets were set to, by id
        self._timers: dict[str, asyncio.Task[None]] = {}  # of fragments
        self._done = asyncio.Event()

    async def open(self, page: str = "") -> float:
        """Open a page by its path; return the seconds until all of it has arrived."""
        self._page = self._pages.get(page, "")
        self._kept.clear()
        self._ids.clear()
        return await self._rerun()

    async def set(self, key: str, **value: Any) -> float:
        """Set a widget by its key, as `bool_value=True`; return the seconds until the answer."""
        state = WidgetState(id=self.id(key), **value)
        if "trigger_value" not in value:
            self._kept[state.id] = state
        return await self._rerun(state)

    async def tell(self, key: str, **value: Any) -> None:
        """Set a widget as a component does by itself: its fragment runs, and nobody waits."""
        state = WidgetState(id=self.id(key), **value)
        self._kept[state.id] = state
        await self._send(self._fragments.get(state.id, ""))

    def has(self, key: str) -> bool:
        """Whether the page has a widget whose key begins so."""
        return any(name.startswith(key) for name in self._ids)

    def id(self, key: str) -> str:
        """Return the id of the widget whose key begins so."""
        found = [id for name, id in self._ids.items() if name.startswith(key)]
        if not found:
            raise LookupError(f"No widget {key!r} among {sorted(self._ids)}; {self.errors}")
        return found[-1]

    async def ask_door(self, path: str, body: Any = None) -> tuple[int, Any, float]:
        """Ask the door for JSON; return its status, its answer and the seconds it took."""
        begin = time.perf_counter()
        host, _, port = self._host.partition(":")
        reader, writer = await asyncio.open_connection(host, int(port))
        content = b"" if body is None else json.dumps(body).encode()
        head = [
            f"{'GET' if body is None else 'POST'} /api/{path} HTTP/1.1",
            f"Host: {self._host}",
            f"Cookie: {self.cookie}",
            "Content-Type: application/json",
            f"Content-Length: {len(content)}",
            "Connection: close",
        ]
        writer.write("\r\n".join([*head, "", ""]).encode() + content)
        answer = await asyncio.wait_for(reader.read(), PATIENCE)
        writer.close()
        first, _, rest = answer.partition(b"\r\n")
        status = int(first.split()[1])
        payload = rest.partition(b"\r\n\r\n")[2]
        return (
            status,
            json.loads(payload[payload.find(b"{") : payload.rfind(b"}") + 1]),
            (time.perf_counter() - begin),
        )

    async def listen(self) -> None:
        """Take every message that arrives, until the connection is closed."""
        with suppress(ConnectionClosed):
            async for data in self._socket:
                message = ForwardMsg()
                message.ParseFromString(data if isinstance(data, bytes) else data.encode())
                self._take(message)

    def stop_timers(self) -> None:
        """Run no fragment again by itself."""
        for timer in self._timers.values():
            timer.cancel()
        self._timers.clear()

    def _take(self, message: ForwardMsg) -> None:
        match message.WhichOneof("type"):
            case "navigation":
                self._pages = {
                    page.url_pathname: page.page_script_hash
                    for page in message.navigation.app_pages
                }
            case "new_session" if not message.metadata.run.fragment_ids:
                self.stop_timers()  # the page's run says which fragments run again
            case "delta" if message.delta.WhichOneof("type") == "new_element":
                self._element(message.delta.new_element, message.delta.fragment_id)
            case "auto_rerun":
                fragment = message.auto_rerun.fragment_id
                if fragment in self._timers:
                    self._timers[fragment].cancel()
                self._timers[fragment] = asyncio.create_task(
                    self._again(fragment, message.auto_rerun.interval)
                )
            case "script_finished" if message.script_finished in (
                ForwardMsg.FINISHED_SUCCESSFULLY,
                ForwardMsg.FINISHED_WITH_COMPILE_ERROR,
            ):
                self._done.set()

    def _element(self, element: Element, fragment: str) -> None:
        kind = element.WhichOneof("type") or ""
        part = getattr(element, kind, None)
        if kind == "exception":
            self.errors.append(element.exception.message)
        elif kind == "alert" and element.alert.format == _ALERT_ERROR:
            self.errors.append(element.alert.body)
        id = getattr(part, "id", "")
        if isinstance(id, str) and id.startswith("$$ID-"):
            key = id.removeprefix("$$ID-").partition("-")[2]
            self._ids.pop(key, None)  # what came last is last
            self._ids[key] = id
            self._fragments[id] = fragment

    async def _rerun(self, *triggers: WidgetState) -> float:
        self.stop_timers()
        self.errors = []
        self._done.clear()
        begin = time.perf_counter()
        await self._send("", *triggers)
        await asyncio.wait_for(self._done.wait(), PATIENCE)
        return time.perf_counter() - begin

    async def _again(self, fragment: str, seconds: float) -> None:
        while True:
            await asyncio.sleep(seconds)
            await self._send(fragment, by_itself=True)

    async def _send(self, fragment: str, *triggers: WidgetState, by_itself: bool = False) -> None:
        state = ClientState(
            page_script_hash=self._page, fragment_id=fragment, is_auto_rerun=by_itself
        )
        state.context_info.url = f"http://{self._host}/"
        states = self._kept | {one.id: one for one in triggers}
        state.widget_states.widgets.extend(states.values())
        await self._socket.send(BackMsg(rerun_script=state).SerializeToString())


@asynccontextmanager
async def visiting(address: str) -> AsyncGenerator[Visitor]:
    """Give a visitor who has just opened the app."""
    secret = secrets.token_urlsafe(32)
    cookie = f"digitlab={secret}.{quote('visitor')}"
    socket_address = f"{address.replace('http', 'ws', 1)}/_stcore/stream"
    headers = {"Cookie": cookie}
    async with connect(
        socket_address,
        subprotocols=["streamlit"],  # type: ignore[list-item]  # its name is a str
        additional_headers=headers,
        max_size=None,
        open_timeout=PATIENCE,
        ping_interval=None,
    ) as socket:
        visitor = Visitor(address, socket, cookie)
        listening = asyncio.create_task(visitor.listen())
        try:
            await visitor.open()
            yield visitor
        finally:
            visitor.stop_timers()
            listening.cancel()


async def up(address: str) -> None:
    """Wait until the server answers and has loaded what takes seconds."""
    while True:
        try:
            async with visiting(address) as visitor:
                await visitor.open("train")
                return
        except OSError:  # nobody listens yet
            await asyncio.sleep(0.1)
