"""The web server: checks who asks, sends the page, and joins each page with a process of the app."""

from __future__ import annotations

import asyncio
import contextlib
import json
import socket
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Protocol

from aiohttp import WSCloseCode, WSMsgType, web
from aiohttp.typedefs import Handler

from gilscope.serving.access import Guard
from gilscope.serving.assets import HEADERS, load_assets, page
from gilscope.serving.viewer import Size, Viewer
from gilscope.text import clean

MOST_VIEWERS = 8
"""Pages open at once: each is a process of some 50 MB."""
LOOK_S = 0.25
"""How often the session is looked at."""
_MESSAGE_BYTES: Final = 65_536
_HEARTBEAT_S: Final = 15.0
"""A page that does not answer for so long is gone."""
_SEND_BYTES: Final = 131_072
"""Frames that may be under way to a slow page; more would only make its keys slow to answer."""


class Shown(Protocol):
    """What the pages show: a live session, or a recording. No method may block."""

    def status(self) -> Mapping[str, Any]:
        """What a page's app is to know of the session now; "error": why all ends, or None."""
        ...

    def obey(self, command: Mapping[str, Any]) -> None:
        """Do what a page asks of the session."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Serving:
    """What is served, and to whom."""

    shown: Shown
    guard: Guard
    title: str
    command: Sequence[str]
    """What starts a process of the app."""
    settings: Mapping[str, Any]
    """What such a process is told first."""
    say: Callable[[str], None]
    """Tells whoever started the server."""
    most_viewers: int = MOST_VIEWERS
    ended: asyncio.Event = field(default_factory=asyncio.Event)
    """Set: the server ends."""


async def serve(serving: Serving, listening: socket.socket) -> None:
    """Serve on a socket that listens, until `ended` is set, the session fails, or a page quits."""
    server = BrowserServer(serving)
    runner = web.AppRunner(server.application(), handle_signals=False, access_log=None, shutdown_timeout=1.0)
    await runner.setup()
    try:
        await web.SockSite(runner, listening).start()
        await server.watch()
    finally:
        await server.close()
        await runner.cleanup()


class BrowserServer:
    """Answers requests, and keeps the open pages."""

    def __init__(self, serving: Serving) -> None:
        self._serving = serving
        self._page = page(serving.title)
        self._assets = load_assets()
        self._open: dict[web.WebSocketResponse, Viewer | None] = {}
        self._status = dict(serving.shown.status())

    def application(self) -> web.Application:
        """What aiohttp runs."""
        application = web.Application(middlewares=[self._only_who_may])
        application.on_response_prepare.append(_with_headers)
        application.add_routes(
            [
                web.get("/{token}", self._to_page),
                web.get("/{token}/", self._send_page),
                web.get("/{token}/static/{name}", self._send_asset),
                web.get("/{token}/ws", self._show),
            ]
        )
        return application

    async def watch(self) -> None:
        """Tell the pages how the session fares, until the end."""
        serving = self._serving
        while not serving.ended.is_set():
            status = dict(serving.shown.status())
            if status["error"] is not None:
                return
            if status != self._status:
                self._status = status
                for viewer in self._open.values():
                    if viewer is not None:
                        viewer.tell(status)
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(serving.ended.wait(), LOOK_S)

    async def close(self) -> None:
        """Close all pages; their apps end with them."""
        self._serving.ended.set()
        for websocket in list(self._open):
            await websocket.close(code=WSCloseCode.GOING_AWAY, message=b"gilscope ends")

    # --- requests ---

    @web.middleware
    async def _only_who_may(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        why_not = self._serving.guard.why_not(
            path=request.path,
            host=request.headers.get("Host"),
            origin=request.headers.get("Origin"),
            websocket="Upgrade" in request.headers or request.path.endswith("/ws"),
        )
        if why_not is not None:
            return web.Response(status=403, text=f"gilscope: {why_not}\n")
        return await handler(request)

    async def _to_page(self, request: web.Request) -> web.StreamResponse:
        raise web.HTTPFound(f"{request.path}/")

    async def _send_page(self, _request: web.Request) -> web.StreamResponse:
        return web.Response(text=self._page, content_type="text/html", charset="utf-8")

    async def _send_asset(self, request: web.Request) -> web.StreamResponse:
        asset = self._assets.get(request.match_info["name"])
        if asset is None:
            raise web.HTTPNotFound
        return web.Response(body=asset.data, headers={"Content-Type": asset.content_type})

    async def _show(self, request: web.Request) -> web.StreamResponse:
        if len(self._open) >= self._serving.most_viewers or self._serving.ended.is_set():
            raise web.HTTPServiceUnavailable(text="gilscope: too many pages are open.\n")
        websocket = web.WebSocketResponse(
            heartbeat=_HEARTBEAT_S, max_msg_size=_MESSAGE_BYTES, compress=False, timeout=2.0
        )
        self._open[websocket] = None
        try:
            await websocket.prepare(request)
            _short_queue(request)
            await self._join(websocket, _asked_size(request))
        finally:
            del self._open[websocket]
            await websocket.close()
        return websocket

    # --- a page and its app ---

    async def _join(self, websocket: web.WebSocketResponse, size: Size) -> None:
        """Carry frames and keys until either of the two is gone."""
        serving = self._serving
        told = self._status
        viewer = await Viewer.start(serving.command, {**serving.settings, "status": told}, size)
        self._open[websocket] = viewer
        if self._status is not told:  # it changed while the app was started, and there was nobody to tell
            viewer.tell(self._status)
        wishes = asyncio.create_task(self._obey(viewer))
        drawing = asyncio.create_task(_carry_frames(viewer, websocket))
        typing = asyncio.create_task(_carry_keys(websocket, viewer))
        try:
            await asyncio.wait({drawing, typing}, return_when=asyncio.FIRST_COMPLETED)
            page_is_there = not typing.done() and not websocket.closed
            if page_is_there:  # The app has ended by itself: its last wishes are still to come.
                await asyncio.wait({wishes}, timeout=1.0)
        finally:
            for task in (drawing, typing):
                task.cancel()
            await viewer.end()
            await asyncio.gather(drawing, typing, wishes, return_exceptions=True)
            viewer.release()
        if page_is_there and viewer.exit_code:
            serving.say(
                f"A view ended unexpectedly (exit code {viewer.exit_code}): {clean(viewer.last_words)}"
            )

    async def _obey(self, viewer: Viewer) -> None:
        async for command in viewer.messages():
            if command["do"] != "closed":
                self._serving.shown.obey(command)
                continue
            if command["error"]:
                self._serving.say(command["error"])
            if command["quit"]:
                self._serving.ended.set()


async def _with_headers(_request: web.Request, response: web.StreamResponse) -> None:
    response.headers.update(HEADERS)
    response.headers["Server"] = "gilscope"


def _short_queue(request: web.Request) -> None:
    transport = request.transport
    connection = None if transport is None else transport.get_extra_info("socket")
    if connection is not None:
        with contextlib.suppress(OSError):
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, _SEND_BYTES)


def _asked_size(request: web.Request) -> Size:
    try:
        return Size.within(int(request.query["width"]), int(request.query["height"]))
    except (KeyError, ValueError):
        return Size(120, 36)


async def _carry_frames(viewer: Viewer, websocket: web.WebSocketResponse) -> None:
    with contextlib.suppress(ConnectionError):
        async for frame in viewer.frames():
            await websocket.send_bytes(frame)


async def _carry_keys(websocket: web.WebSocketResponse, viewer: Viewer) -> None:
    """Until the page is gone, or says what no page of ours would."""
    async for message in websocket:
        if message.type is not WSMsgType.TEXT:
            return
        try:
            await _carry(json.loads(message.data), websocket, viewer)
        except (ValueError, TypeError, KeyError, IndexError, RecursionError):
            await websocket.close(code=WSCloseCode.POLICY_VIOLATION, message=b"no message of this page's")
            return


async def _carry(message: Any, websocket: web.WebSocketResponse, viewer: Viewer) -> None:
    match message:
        case ["stdin", str(keys)]:
            await viewer.type_keys(keys.encode(errors="replace"))
        case ["resize", {"width": int(columns), "height": int(rows)}]:
            await viewer.resize(Size.within(columns, rows))
        case ["focus"] | ["blur"]:
            await viewer.focus(focused=message == ["focus"])
        case ["ping", str(moment)]:
            await websocket.send_json(["pong", moment[:40]])
        case _:
            raise ValueError(message)
