"""A real browser without a window: pages that are opened, typed to, read and photographed."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import itertools
import shutil
import tempfile
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
FLAGS = (
    "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run",
    "--disable-extensions", "--disable-background-networking", "--disable-component-update",
    "--hide-scrollbars", "--remote-debugging-port=0",
)  # fmt: skip
DEADLINE_S = 120.0
TERMINAL = """
    Object.defineProperty(Object.prototype, "_core", {
        configurable: true,
        set(core) {
            Object.defineProperty(this, "_core", {value: core, writable: true});
            if ("loadAddon" in this) window.seenTerminal = this;
        },
    });
"""
"""Before a page's own scripts: keeps the terminal that they make, as its text is nowhere in the document."""
SCREEN = """
    (() => {
        const buffer = window.seenTerminal?.buffer?.active;
        if (!buffer) return "";
        return Array.from({length: seenTerminal.rows}, (_, row) =>
            buffer.getLine(row)?.translateToString(true) ?? "").join("\\n");
    })()
"""


@dataclass
class Tab:
    """A page, driven over the DevTools protocol."""

    socket: aiohttp.ClientWebSocketResponse
    numbers: itertools.count[int] = field(default_factory=itertools.count)
    complaints: list[str] = field(default_factory=list)
    """What the page logged as an error."""

    async def call(self, method: str, **parameters: Any) -> dict[str, Any]:
        """Do something, and have the answer."""
        number = next(self.numbers)
        await self.socket.send_json({"id": number, "method": method, "params": parameters})
        while True:
            message = await self.socket.receive_json(timeout=DEADLINE_S)
            if message.get("method") == "Log.entryAdded":
                entry = message["params"]["entry"]
                if entry["level"] == "error":
                    self.complaints.append(f"{entry['text']} {entry.get('url', '')}")
            if message.get("method") == "Runtime.exceptionThrown":
                self.complaints.append(str(message["params"]["exceptionDetails"]))
            if message.get("id") == number:
                assert "error" not in message, message
                found: dict[str, Any] = message["result"]
                return found

    async def open(self, address: str) -> None:
        """Go to an address."""
        await self.call("Page.navigate", url=address)

    async def value(self, expression: str) -> Any:
        """What a JavaScript expression gives there."""
        done = await self.call("Runtime.evaluate", expression=expression, returnByValue=True)
        return done["result"].get("value")

    async def text(self) -> str:
        """What the terminal in the page shows."""
        return str(await self.value(SCREEN) or "")

    async def see(self, *words: str) -> str:
        """Wait until the terminal shows all of these."""
        deadline = time.monotonic() + DEADLINE_S
        text = await self.text()
        while not all(word in text for word in words):
            assert time.monotonic() < deadline, f"never seen: {words}\n{text}\n{self.complaints}"
            await asyncio.sleep(0.05)
            text = await self.text()
        return text

    async def until(self, expression: str) -> None:
        """Wait until a JavaScript expression is true there."""
        deadline = time.monotonic() + DEADLINE_S
        while not await self.value(expression):
            assert time.monotonic() < deadline, f"never so: {expression}\n{self.complaints}"
            await asyncio.sleep(0.05)

    async def press(self, *keys: str) -> None:
        """Type characters, each a key."""
        for key in keys:
            await self.call("Input.dispatchKeyEvent", type="keyDown", text=key, key=key)
            await self.call("Input.dispatchKeyEvent", type="keyUp", key=key)

    async def photograph(self, path: Path, *, clip: dict[str, float] | None = None) -> None:
        """What it looks like, as PNG; of a part of it: with x, y, width, height and scale."""
        part = {} if clip is None else {"clip": clip}
        picture = await self.call("Page.captureScreenshot", format="png", **part)
        path.write_bytes(base64.b64decode(picture["data"]))


@dataclass
class Browser:
    """A running Chromium."""

    client: aiohttp.ClientSession
    port: int

    async def tab(self, width: int = 1280, height: int = 800, *, scale: float = 1.0) -> Tab:
        """A new, empty page."""
        async with self.client.put(f"http://127.0.0.1:{self.port}/json/new?about:blank") as answer:
            made = await answer.json(content_type=None)
        tab = Tab(await self.client.ws_connect(made["webSocketDebuggerUrl"], max_msg_size=0))
        for part in ("Page", "Runtime", "Log"):
            await tab.call(f"{part}.enable")
        await tab.call(
            "Emulation.setDeviceMetricsOverride",
            width=width, height=height, deviceScaleFactor=scale, mobile=False,
        )  # fmt: skip
        await tab.call("Page.addScriptToEvaluateOnNewDocument", source=TERMINAL)
        return tab


@contextlib.asynccontextmanager
async def browser() -> AsyncIterator[Browser]:
    """A Chromium of its own, gone afterwards."""
    assert CHROMIUM is not None
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        process = await asyncio.create_subprocess_exec(
            CHROMIUM, *FLAGS, f"--user-data-dir={profile}", "about:blank",
            stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.DEVNULL,
        )  # fmt: skip
        try:
            told = Path(profile) / "DevToolsActivePort"
            deadline = time.monotonic() + DEADLINE_S
            while not (told.exists() and "\n" in told.read_text()):
                assert time.monotonic() < deadline, "the browser does not start"
                assert process.returncode is None, "the browser ended"
                await asyncio.sleep(0.05)
            async with aiohttp.ClientSession() as client:
                yield Browser(client, int(told.read_text().split()[0]))
        finally:
            with contextlib.suppress(ProcessLookupError):
                process.terminate()
            await process.wait()
