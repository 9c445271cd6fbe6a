"""Who may look: a request needs the token, and may come neither under a foreign name nor from a foreign page.

Pure. The token keeps out whoever has not seen the address: other users of this machine, other machines. The
checks of Host and Origin keep out other pages in the user's own browser, should one learn the token: a name
of theirs that suddenly leads to this machine (DNS rebinding), or a request or websocket of their script.
"""

from __future__ import annotations

import hmac
import ipaddress
import re
from collections.abc import Iterable
from dataclasses import dataclass, field

_HOST = re.compile(r"(?P<name>\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._-]+)(?::\d{1,5})?", re.ASCII)


@dataclass(frozen=True, slots=True)
class Guard:
    """What a request must have."""

    token: str = field(repr=False)
    names: frozenset[str]
    """Names under which this machine may be asked, in lower case; of a port nothing is said, as a tunnel has
    another one at its other end."""
    any_address: bool = False
    """Whether every numeric address is right: served everywhere. No foreign name is one."""

    @classmethod
    def of(cls, token: str, names: Iterable[str], *, any_address: bool) -> Guard:
        """A guard that knows these names."""
        return cls(token, frozenset(name.lower().strip("[]") for name in names), any_address)

    def why_not(self, *, path: str, host: str | None, origin: str | None, websocket: bool) -> str | None:
        """Why a request is refused, in words for people; None: it is not.

        Args:
            path: its path; the token is the first part of it.
            host: its Host header.
            origin: its Origin header: the page that it comes from. Browsers always send one with a websocket.
            websocket: whether it asks for a websocket.
        """
        # Compared in any case, and to its end: how long it takes tells nothing.
        first = path.split("/", 2)[1] if path.startswith("/") else ""
        has_token = hmac.compare_digest(first.encode(errors="replace"), self.token.encode())
        if host is None or not self._knows(host):
            return "This is not the name under which gilscope is served here."
        if origin is not None and origin.lower() != f"http://{host.lower()}":
            return "Another page may not ask gilscope."
        if origin is None and websocket:
            return "A websocket has to say which page it comes from."
        if not has_token:
            return "The address lacks its token. Open the whole address that gilscope printed."
        return None

    def _knows(self, host: str) -> bool:
        found = _HOST.fullmatch(host)
        if found is None:
            return False
        name = found["name"].lower().strip("[]")
        return name in self.names or (self.any_address and _is_address(name))


def _is_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True
