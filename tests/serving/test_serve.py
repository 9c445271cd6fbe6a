"""The server as a stranger meets it, and how it ends: real commands, plain requests and websockets."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import signal
import socket
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from click.testing import CliRunner

from gilscope.cli import main
from gilscope.cli import serve as cli_serve
from gilscope.lessons import LESSONS
from gilscope.recording import schema
from gilscope.serving.access import Guard
from gilscope.serving.place import Place, listen
from gilscope.serving.server import MOST_VIEWERS
from tests.commands import complaint, gilscope
from tests.serving.served import Served, serve, serve_script
from tests.watched import is_gone, wait_for, watched

GOLDEN = Path(__file__).parents[1] / "recordings" / f"v{schema.VERSION}.gilscope"
FILES = (
    "static/page.js",
    "static/page.css",
    "static/textual.js",
    "static/xterm.css",
    "static/RobotoMono.ttf",
)
PATIENCE_S = 120.0
F3 = "\x1bOR"


@pytest.fixture(scope="module")
def replayed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    folder = tmp_path_factory.mktemp("replayed")
    recording = shutil.copy(GOLDEN, folder / "old.gilscope")
    with serve(folder, "replay", recording, "--serve") as served:
        yield served


async def open_page(
    client: aiohttp.ClientSession, served: Served, **options: Any
) -> aiohttp.ClientWebSocketResponse:
    """What a page of ours does."""
    options = {"origin": served.root, "size": "width=100&height=30"} | options
    size = options.pop("size")
    return await client.ws_connect(f"{served.address}ws?{size}", **options)


async def see(page: aiohttp.ClientWebSocketResponse, *words: str) -> str:
    """What comes, until all these words were in it."""
    seen = ""
    async with asyncio.timeout(PATIENCE_S):
        while not all(word in seen for word in words):
            message = await page.receive()
            assert message.type is aiohttp.WSMsgType.BINARY, (message, seen[-500:])
            seen += message.data.decode(errors="replace")
    return seen


async def closed(page: aiohttp.ClientWebSocketResponse) -> int | None:
    async with asyncio.timeout(PATIENCE_S):
        while not page.closed:
            await page.receive()
    return page.close_code


async def until(condition: Any) -> None:
    await asyncio.to_thread(wait_for, condition, "never so")


# --- who may ---


@pytest.mark.parametrize("path", ["", *FILES])
async def test_the_page_and_its_files(replayed: Served, path: str) -> None:
    async with aiohttp.ClientSession() as client, client.get(replayed.address + path) as answer:
        assert answer.status == 200
        assert len(await answer.read()) > 300
        assert answer.headers["Referrer-Policy"] == "no-referrer"
        assert answer.headers["X-Frame-Options"] == "DENY"
        assert "default-src 'none'" in answer.headers["Content-Security-Policy"]
        assert "aiohttp" not in str(answer.headers)


@pytest.mark.parametrize("path", ["", "ws", "nothing", *FILES])
async def test_refused(replayed: Served, path: str) -> None:
    """No token, another's, a foreign name, a foreign page: 403 for everything, and nothing of it is told."""
    with_it, root = replayed.address + path, replayed.root
    foreign: list[tuple[str, dict[str, str]]] = [
        (f"{root}/{path}", {}),
        (f"{root}/{'x' * len(replayed.token)}/{path}", {}),
        (f"{root}/?token={replayed.token}", {}),
        (with_it, {"Host": "evil.example"}),
        (with_it, {"Host": f"127.0.0.1.evil.example:{root.rpartition(':')[2]}"}),
        (with_it, {"Origin": "http://evil.example"}),
        (with_it, {"Origin": "null"}),
        (with_it, {"Host": "evil.example", "Origin": "http://evil.example"}),
    ]
    async with aiohttp.ClientSession() as client:
        for url, headers in foreign:
            for method in ("GET", "OPTIONS"):
                async with client.request(method, url, headers=headers, allow_redirects=False) as answer:
                    assert answer.status == 403, (url, headers)
                    assert replayed.token not in await answer.text()
                    assert "Access-Control-Allow-Origin" not in answer.headers


@pytest.mark.parametrize(
    "path", ["nothing", "static/", "static/nothing", "static/..%2f..%2fserver.py", "static/../../server.py",
             "download/x", "static/%2fetc%2fpasswd"],
)  # fmt: skip
async def test_there_is_nothing_else(replayed: Served, path: str) -> None:
    async with aiohttp.ClientSession() as client, client.get(replayed.address + path) as answer:
        assert answer.status in (403, 404)  # a path that was made shorter lacks the token


async def test_websockets_refused(replayed: Served) -> None:
    """Of another page, of a page that does not say which, without the token, under a foreign name."""
    ours = replayed.address + "ws"
    foreign: list[tuple[str, str | None, dict[str, str]]] = [
        (ours, "http://evil.example", {}),
        (ours, "http://127.0.0.1:1", {}),
        (ours, "null", {}),
        (ours, None, {}),
        (f"{replayed.root}/ws", replayed.root, {}),
        (f"{replayed.root}/{'y' * len(replayed.token)}/ws", replayed.root, {}),
        (ours, "http://evil.example", {"Host": "evil.example"}),
    ]
    async with aiohttp.ClientSession() as client:
        for url, origin, headers in foreign:
            with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
                await client.ws_connect(url, origin=origin, headers=headers)
            assert refused.value.status == 403
        assert replayed.apps() == []


@pytest.mark.parametrize(
    "message",
    ["", "{", "[]", "5", '["stdin"]', '["stdin", 5]', '["resize", {"width": "a", "height": 3}]', '["quit"]',
     '["resize", null]', "[" * 60_000, '["stdin", "' + "x" * 70_000 + '"]', b"\x00"],
)  # fmt: skip
def test_no_message_of_a_page(message: str | bytes) -> None:
    """Whatever comes that no page of ours sends is an error that the server knows; no app is told."""
    from gilscope.serving import server

    class Nobody:
        """An app that must not be told; a websocket that must not be answered."""

    if isinstance(message, bytes) or len(message) > server._MESSAGE_BYTES:
        return  # refused by its type or length: test_a_strange_page
    with pytest.raises((ValueError, TypeError, KeyError, IndexError, RecursionError)):
        asyncio.run(server._carry(json.loads(message), Nobody(), Nobody()))  # type: ignore[arg-type]


# --- pages and their apps ---


async def test_a_page_has_its_app(replayed: Served) -> None:
    """It draws, takes keys and another size, and ends with the page; a strange page is closed."""
    async with aiohttp.ClientSession() as client:
        page = await open_page(client, replayed, size="width=90&height=30")
        await see(page, "Lanes", "Verdict")
        assert len(replayed.apps()) == 1
        await page.send_json(["stdin", "?"])
        await see(page, "Pause, or play from here")
        await page.send_json(["resize", {"width": 70, "height": 1_000_000_000}])
        await page.send_json(["ping", "123"])
        async with asyncio.timeout(PATIENCE_S):
            while (message := await page.receive()).type is not aiohttp.WSMsgType.TEXT:
                assert message.type is aiohttp.WSMsgType.BINARY
        assert json.loads(message.data) == ["pong", "123"]
        await page.close()
        await until(lambda: not replayed.apps())
        for strange in ('["stdin"]', b"\x00", '["stdin", "' + "x" * 70_000 + '"]'):
            page = await open_page(client, replayed)
            await (page.send_str(strange) if isinstance(strange, str) else page.send_bytes(strange))
            assert await closed(page) in (aiohttp.WSCloseCode.POLICY_VIOLATION, 1009, 1000)
        await until(lambda: not replayed.apps())
        assert replayed.process.poll() is None


async def test_so_many_pages_and_no_more() -> None:
    """Each is a process."""
    from gilscope.serving import server

    class Shown:
        def status(self) -> dict[str, object]:
            return {"alive": False, "error": None}

        def obey(self, command: Mapping[str, object]) -> None:
            raise AssertionError(command)

    said: list[str] = []
    with listen(Place()) as listening:
        serving = server.Serving(
            shown=Shown(),
            guard=Guard.of("t", ["127.0.0.1"], any_address=False),
            title="t",
            command=["/bin/cat", "/proc/self/fd/0", "--"],
            settings={},
            say=said.append,
            most_viewers=2,
        )
        root = f"http://127.0.0.1:{listening.getsockname()[1]}"
        running = asyncio.create_task(server.serve(serving, listening))
        async with aiohttp.ClientSession() as client:
            for _ in range(2):
                await client.ws_connect(f"{root}/t/ws", origin=root)
            with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
                await client.ws_connect(f"{root}/t/ws", origin=root)
            assert refused.value.status == 503
            serving.ended.set()
            await running
    assert MOST_VIEWERS >= 2


async def test_an_app_that_breaks_is_named(tmp_path: Path) -> None:
    """In one line, and the server goes on."""
    recording = shutil.copy(GOLDEN, tmp_path / "r.gilscope")
    with serve(tmp_path, "replay", recording, "--serve") as served:
        async with aiohttp.ClientSession() as client:
            page = await open_page(client, served)
            await see(page, "Lanes")
            os.kill(served.apps()[0], signal.SIGKILL)
            await closed(page)
            await until(lambda: "A view ended unexpectedly (exit code -9)" in served.said)
            page = await open_page(client, served)
            await see(page, "Lanes")
            await page.send_json(["stdin", "q"])  # a finished session: nothing is lost, nothing is asked
            await closed(page)
        assert await asyncio.to_thread(served.ends) == 0


# --- a live session ---


async def test_the_target_outlives_its_pages_and_ends_with_ctrl_c(tmp_path: Path) -> None:
    with serve_script(tmp_path, "--json", "s.json") as served:
        async with aiohttp.ClientSession() as client:
            async with client.get(served.address) as answer:
                assert "&lt;b&gt;" in (text := await answer.text())
                assert "<b>" not in text
            first = await open_page(client, served)
            await see(first, "its pid is", "LIVE")
            second = await open_page(client, served)
            await see(second, "its pid is", "LIVE")
            await first.close()
            await second.send_json(["stdin", "t"])
            await see(second, "line for the target")
            await second.send_json(["stdin", "abc\r"])
            await see(second, "heard ABC")
            # This page leaves the target running, and is gone; the session goes on.
            await second.send_json(["stdin", "q"])
            await see(second, "still runs")
            await second.send_json(["stdin", "l"])
            await closed(second)
            await until(lambda: not served.apps())
            assert served.process.poll() is None
            third = await open_page(client, served)
            assert "its pid is" in await see(third, "heard ABC")
            closing = asyncio.create_task(closed(third))
            code = await asyncio.to_thread(served.ends, signal.SIGINT)
            assert await closing == aiohttp.WSCloseCode.GOING_AWAY
        assert code == 128 + signal.SIGTERM
        summary = json.loads((tmp_path / "s.json").read_text())
        assert summary["totals"]["threads_started"] == 2
        assert not (tmp_path / "hurt").exists()
        assert "Traceback" not in served.said


async def test_a_process_that_ran_before_is_let_go_of(tmp_path: Path) -> None:
    """Its pages cannot stop it; at the end it runs on, and the summary is there."""
    with watched("sleepers.py", 1, 600) as target:
        arguments = ("attach", target.pid, "--serve", "--json", "s.json", "-o", "r.gilscope")
        with serve(tmp_path, *arguments) as served:
            async with aiohttp.ClientSession() as client:
                page = await open_page(client, served)
                await see(page, "LIVE", "attach")
                await page.send_json(["stdin", "q"])
                await see(page, "The process runs on.")
                await page.send_json(["stdin", "d"])
                await closed(page)
            assert await asyncio.to_thread(served.ends) == 0
            assert "ctrl-c here ends the watch, and the process runs on" in served.said
            assert "Traceback" not in served.said
        assert not is_gone(target.pid)
    summary = json.loads((tmp_path / "s.json").read_text())
    assert summary["target"]["mode"] == "attach"
    assert summary["gils"][0]["samples"] > 0


async def test_a_lesson_has_its_text(tmp_path: Path) -> None:
    """Beside the scope; its keys tell how another one is begun, and change nothing."""
    with serve(tmp_path, "lesson", "never-started", "--seconds", "60", "--serve") as served:
        async with aiohttp.ClientSession() as client:
            page = await open_page(client, served, size="width=140&height=36")
            await see(page, "Lesson 1 of", "LIVE")
            await page.send_json(["stdin", F3])
            await see(page, LESSONS[1].name)  # a screen is drawn in pieces: a word is whole
            await page.send_json(["stdin", "q"])
            await see(page, "still runs")
            await page.send_json(["stdin", "s"])
            await closed(page)
        assert await asyncio.to_thread(served.ends) == 128 + signal.SIGTERM
        assert "recording " in served.said
        assert "Traceback" not in served.said


async def test_nothing_outlives_a_killed_server(tmp_path: Path) -> None:
    with serve_script(tmp_path) as served:
        async with aiohttp.ClientSession() as client:
            page = await open_page(client, served)
            await see(page, "its pid is")
            processes = served.all()
            assert len(processes) >= 3
            served.process.kill()
            await closed(page)
        await until(lambda: all(map(is_gone, processes)))


# --- what goes wrong ---


def test_the_port_is_taken_and_nothing_is_started(tmp_path: Path) -> None:
    script = tmp_path / "touches.py"
    script.write_text("import pathlib; pathlib.Path('ran').touch()")
    with socket.create_server(("127.0.0.1", 0)) as taken:
        done = gilscope(tmp_path, "run", "--serve", taken.getsockname()[1], script)
    assert "another program uses that port" in complaint(done, 2)
    assert not (tmp_path / "ran").exists()


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("attach --serve 4321", "a number after --serve is a port, here 4321"),
        ("attach --serve", "No process is named."),
        ("lesson --serve 3", "No lesson is named; a number after --serve is a port"),
    ],
)
def test_what_is_not_named(words: str, said: str) -> None:
    done = CliRunner().invoke(main, words.split())
    assert done.exit_code == 2
    assert said in done.stderr
    assert len(done.stderr.splitlines()) == 2


@pytest.mark.parametrize("words", ["run --serve --headless x.py", "attach --serve --headless 1",
                                   "lesson 1 --serve --headless", "run --serve=there x.py"])  # fmt: skip
def test_a_script_that_cannot_be_run(words: str) -> None:
    done = CliRunner().invoke(main, words.split())
    assert done.exit_code == 2
    assert ("no place to serve" if "=there" in words else "Name one of them.") in done.stderr
    assert len(done.stderr.splitlines()) == 2


def test_without_the_extra(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(cli_serve, "NEEDED", ("aiohttp", "no_such_library"))
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    done = CliRunner().invoke(main, ["run", "--serve", "-c", "print(1)"])
    assert done.exit_code == 2
    assert done.stderr.splitlines() == [
        "gilscope: --serve needs no-such-library, which is not installed.",
        "Install it with gilscope: pip install 'gilscope[serve]'",
    ]


def test_it_warns_when_others_can_reach_it(tmp_path: Path) -> None:
    recording = shutil.copy(GOLDEN, tmp_path / "r.gilscope")
    with serve(tmp_path, "replay", recording, "--serve", "0.0.0.0:0") as served:
        wait_for(lambda: "ctrl-c" in served.said, "nothing is said")
        assert served.address.startswith("http://127.0.0.1:")
        assert served.ends(signal.SIGTERM) == 0
        assert "warning: other machines can reach this address" in served.said
