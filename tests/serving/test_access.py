"""Who may look: every combination of token, name and page."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gilscope.serving.access import Guard

TOKEN = "abcDEF-_123"
LOOPBACK = Guard.of(TOKEN, ["localhost", "127.0.0.1", "::1"], any_address=False)
EVERYWHERE = Guard.of(TOKEN, ["localhost", "MyHost"], any_address=True)
PAGE = f"/{TOKEN}/"


def refused(guard: Guard = LOOPBACK, **asked: object) -> bool:
    request: dict[str, object] = {"path": PAGE, "host": "127.0.0.1:80", "origin": None, "websocket": False}
    return guard.why_not(**(request | asked)) is not None  # type: ignore[arg-type]


@pytest.mark.parametrize("path", [PAGE, f"/{TOKEN}", f"/{TOKEN}/ws", f"/{TOKEN}/static/page.js"])
def test_with_the_token(path: str) -> None:
    assert not refused(path=path)


@pytest.mark.parametrize(
    "path",
    ["/", "", TOKEN, "//", f"//{TOKEN}/", f"/x/{TOKEN}/", f"/{TOKEN}x/", f"/{TOKEN[:-1]}/",
     f"/{TOKEN.lower()}/", "/ws", "/static/page.js", "/favicon.ico", "/é/", "/\udcff/"],
)  # fmt: skip
def test_without_the_token(path: str) -> None:
    assert refused(path=path)


@given(st.text())
def test_no_other_text_is_the_token(text: str) -> None:
    assert refused(path=f"/{text}/ws") == (text.split("/", maxsplit=1)[0] != TOKEN)


@pytest.mark.parametrize(
    "host",
    ["127.0.0.1:8000", "localhost:8000", "LOCALHOST:1", "[::1]:8000", "127.0.0.1", "localhost", "[::1]"],
)
def test_names_of_this_machine(host: str) -> None:
    assert not refused(host=host)
    assert not refused(host=host, origin=f"http://{host}", websocket=True)


@pytest.mark.parametrize(
    "host",
    [None, "", "evil.example", "evil.example:8000", "127.0.0.1.evil.example", "localhost.evil.example:80",
     "127.0.0.1:8000@evil.example", "127.0.0.2", "192.168.0.7:8000", "[::2]:80", "localhost:80:80",
     "[::1", " "],
)  # fmt: skip
def test_foreign_names(host: str | None) -> None:
    """A page of a name that was made to lead here (DNS rebinding) asks under that name."""
    assert refused(host=host)


def test_served_everywhere_no_foreign_name_is_right_either() -> None:
    for host in ("192.168.0.7:8000", "[fe80::1]:8000", "127.0.0.1", "myhost:8000", "localhost"):
        assert not refused(EVERYWHERE, host=host), host
    for host in ("evil.example:8000", "1.2.3.4.evil.example", "0x7f000001", "myhost.evil.example"):
        assert refused(EVERYWHERE, host=host), host


@pytest.mark.parametrize("websocket", [False, True])
@pytest.mark.parametrize(
    "origin",
    ["http://evil.example", "https://127.0.0.1:80", "http://127.0.0.1:81", "http://localhost:80", "null", "",
     "http://127.0.0.1:80.evil.example", "file://"],
)  # fmt: skip
def test_foreign_pages(origin: str, websocket: bool) -> None:
    """Also those of another program on this machine: they have another port, or another name."""
    assert refused(origin=origin, websocket=websocket)


def test_a_websocket_says_where_it_comes_from() -> None:
    assert refused(origin=None, websocket=True)
    assert not refused(origin="http://127.0.0.1:80", websocket=True)


def test_the_token_is_not_shown_by_accident() -> None:
    assert TOKEN not in repr(LOOPBACK)
