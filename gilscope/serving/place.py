"""Where to serve: what --serve was told, and the socket that listens there."""

from __future__ import annotations

import errno
import ipaddress
import re
import socket
from dataclasses import dataclass

from gilscope.errors import UsageError

LOOPBACK = "127.0.0.1"
FREE_PORT = 0
MOST_PORT = 65_535
_WAITING = 32
"""Connections that may wait to be taken."""
_PLACE = re.compile(r"(?:(?P<host>\[[^\]\s]+\]|[^:/\s\[\]]*):)?(?P<port>\d{1,9})", re.ASCII)


@dataclass(frozen=True, slots=True)
class Place:
    """A host, by name or address, and a port; port 0: any that is free."""

    host: str = LOOPBACK
    port: int = FREE_PORT

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


def is_place(word: str) -> bool:
    """Whether a word is meant as HOST:PORT, :PORT or PORT, rather than as the name of a script."""
    return _PLACE.fullmatch(word) is not None


def parse_place(text: str) -> Place:
    """What `--serve` was told.

    Raises:
        UsageError: it is no HOST:PORT, :PORT or PORT.
    """
    found = _PLACE.fullmatch(text)
    if found is None or int(found["port"]) > MOST_PORT:
        raise UsageError(
            f"--serve {text} is no place to serve: it takes HOST:PORT or a PORT, from 0 to {MOST_PORT}.\n"
            "Leave both out for a free port that only this machine reaches."
        )
    return Place((found["host"] or LOOPBACK).strip("[]"), int(found["port"]))


def listen(place: Place) -> socket.socket:
    """A socket that listens there; of a host with several addresses, at the first.

    Raises:
        UsageError: it cannot.
    """
    try:
        found = socket.getaddrinfo(place.host, place.port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    except (OSError, UnicodeError) as error:
        raise UsageError(
            f"Cannot serve on {place}: this machine knows no host {place.host}.\n"
            f"Name one of its own addresses, or leave the host out for {LOOPBACK}."
        ) from error
    family, _, _, _, address = found[0]
    listening = socket.socket(family, socket.SOCK_STREAM)
    try:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind(address)
        listening.listen(_WAITING)
    except OSError as error:
        listening.close()
        raise UsageError(_why(place, error)) from error
    listening.settimeout(0)
    return listening


def _why(place: Place, error: OSError) -> str:
    if error.errno == errno.EADDRINUSE:
        what, hint = "another program uses that port", "Name another port, or leave it out for a free one."
    elif error.errno == errno.EACCES:
        what, hint = "that port is for the system's services", "Name a port from 1024 on."
    elif error.errno == errno.EADDRNOTAVAIL:
        what, hint = "it is no address of this machine", f"Leave the host out for {LOOPBACK}."
    else:
        what, hint = str(error.strerror), "Name another host and port."
    return f"Cannot serve on {place}: {what}.\n{hint}"


@dataclass(frozen=True, slots=True)
class Listening:
    """Where a socket listens, in numbers."""

    address: str
    port: int

    @classmethod
    def of(cls, listening: socket.socket) -> Listening:
        """Read it off the socket: a free port was chosen by the kernel."""
        name = listening.getsockname()
        return cls(str(name[0]), int(name[1]))

    @property
    def on_loopback(self) -> bool:
        """Whether only this machine can reach it."""
        return ipaddress.ip_address(self.address.partition("%")[0]).is_loopback

    @property
    def everywhere(self) -> bool:
        """Whether it listens at all addresses of this machine."""
        return ipaddress.ip_address(self.address.partition("%")[0]).is_unspecified
