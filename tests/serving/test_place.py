"""Where to serve: what --serve takes, and what it says when it cannot."""

from __future__ import annotations

import contextlib
import socket

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gilscope.cli.serve import with_places
from gilscope.errors import UsageError
from gilscope.serving.place import Listening, Place, is_place, listen, parse_place

BARE = "--serve=127.0.0.1:0"


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("8000", Place("127.0.0.1", 8000)),
        (":8000", Place("127.0.0.1", 8000)),
        ("0", Place("127.0.0.1", 0)),
        ("localhost:65535", Place("localhost", 65535)),
        ("0.0.0.0:80", Place("0.0.0.0", 80)),
        ("[::1]:8000", Place("::1", 8000)),
    ],
)
def test_places(text: str, place: Place) -> None:
    assert parse_place(text) == place
    assert parse_place(str(place)) == place
    assert is_place(text)


@pytest.mark.parametrize(
    "text", ["localhost", "", ":", "a:b", "1:65536", "99999", "-1", "::1", "::1:80", "a/b:1", "a:1 ", "٣"]
)
def test_no_places(text: str) -> None:
    with pytest.raises(UsageError, match="no place to serve"):
        parse_place(text)


@given(st.text())
def test_any_text_is_a_place_or_refused(text: str) -> None:
    with contextlib.suppress(UsageError):
        assert 0 <= parse_place(text).port <= 65_535


@pytest.mark.parametrize(
    ("words", "read"),
    [
        (["--serve", "job.py"], [BARE, "job.py"]),
        (["--serve", "8000", "job.py"], ["--serve", "8000", "job.py"]),
        (["--serve", "job.py:main", "--workers", "2"], [BARE, "job.py:main", "--workers", "2"]),
        (["job.py", "--serve"], ["job.py", BARE]),
        (["--serve", "--", "8000"], [BARE, "--", "8000"]),
        (["job.py", "--", "--serve", "x"], ["job.py", "--", "--serve", "x"]),
        (["--serve=1.2.3.4:5", "job.py"], ["--serve=1.2.3.4:5", "job.py"]),
    ],
)
def test_a_script_is_no_place(words: list[str], read: list[str]) -> None:
    assert with_places(words) == read


def test_a_free_port_on_loopback() -> None:
    with listen(Place()) as listening:
        at = Listening.of(listening)
        assert at.address == "127.0.0.1"
        assert at.port > 0
        assert at.on_loopback
        assert not at.everywhere


def test_everywhere() -> None:
    with listen(Place("0.0.0.0")) as listening:
        assert Listening.of(listening).everywhere
        assert not Listening.of(listening).on_loopback


def test_why_it_cannot_listen() -> None:
    with listen(Place()) as taken:
        port = Listening.of(taken).port
        with pytest.raises(UsageError, match=f"127.0.0.1:{port}: another program uses that port"):
            listen(Place(port=port))
    with pytest.raises(UsageError, match=r"no address of this machine"):
        listen(Place("192.0.2.1", 0))
    with pytest.raises(UsageError, match=r"knows no host"):
        listen(Place("no such host", 0))
    with pytest.raises(UsageError, match=r"knows no host"):
        listen(Place("a" * 300, 0))


def test_what_listens_is_not_handed_on() -> None:
    with listen(Place()) as listening:
        assert not listening.get_inheritable()
        assert listening.family == socket.AF_INET
