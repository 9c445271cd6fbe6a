"""What a user has set and is remembered: a TOML file in the platform's folder for settings.

Read with tomllib and held against `Settings`, strictly; a file that is wrong is told in one sentence, never
changed, and never stops anything: the defaults hold. Written by changing only the keys that differ, so that
comments and order stay as the user left them.
"""

from __future__ import annotations

import contextlib
import difflib
import os
import re
import tempfile
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import msgspec
from platformdirs import user_config_path

from gilscope.errors import UsageError
from gilscope.text import clean

FILE_VARIABLE = "GILSCOPE_CONFIG"
"""Names another file."""
PANELS = ("gil", "lanes", "cores", "verdict", "output", "info")
"""All panels that the dashboard can show."""
FRAME_RATE_MOST = 60
HEIGHT_MOST = 100
BYTES_MOST = 1_000_000
"""A larger file is no file of settings."""

Rows = Annotated[int, msgspec.Meta(ge=-HEIGHT_MOST, le=HEIGHT_MOST)]


class Layout(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """What the dashboard shows."""

    panels: tuple[str, ...] = ("gil", "lanes", "cores", "verdict", "output")
    """From top to bottom; cores and verdict stand side by side where one follows the other."""
    rows: dict[str, Rows] = {}
    """By panel: how many rows more, or less if negative, than it has by itself."""


class Settings(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """All that is remembered."""

    theme: str = "dark"
    cell_ms: Annotated[int, msgspec.Meta(ge=1, le=60_000)] = 5
    """The length of a timeline cell at the start."""
    frame_rate: Annotated[int, msgspec.Meta(ge=1, le=FRAME_RATE_MOST)] = 30
    """Frames a second at most."""
    fold: bool = False
    """Several processes are folded at the start: a line each, without their threads."""
    layout: Layout = Layout()


DEFAULTS = Settings()


class SettingsFile:
    """The file; it may be missing."""

    def __init__(self, path: Path | None = None) -> None:
        self.path = path or default_path()

    def load(self) -> Settings:
        """What is set.

        Raises:
            UsageError: the file cannot be read, or something in it is wrong; says which key.
        """
        text = self._text()
        return decode(text, str(self.path)) if text is not None else DEFAULTS

    def _text(self) -> str | None:
        try:
            if self.path.stat().st_size > BYTES_MOST:
                raise UsageError(f"{self._name}: it is too large for settings.\nRemove it, or name another.")
            return self.path.read_text("utf-8")
        except FileNotFoundError:
            return None
        except (OSError, UnicodeDecodeError) as error:
            why = error.strerror if isinstance(error, OSError) else "it is not UTF-8"
            raise UsageError(f"{self._name}: cannot be read: {why}.") from error

    @property
    def _name(self) -> str:
        return clean(str(self.path))

    def save(self, settings: Settings) -> None:
        """Write what differs from what the file says; comments and the order of keys stay.

        Raises:
            UsageError: the file is wrong as it is (it is left alone), or cannot be written.
        """
        import tomlkit  # noqa: PLC0415 - only who changes something needs it

        text = self._text()
        before = decode(text, str(self.path)) if text is not None else DEFAULTS
        if before == settings:
            return
        document = tomlkit.parse(text or "")
        _change(document, _plain(before), _plain(settings), tomlkit.table)
        self._write(tomlkit.dumps(document))

    def _write(self, text: str) -> None:
        """A new file in the place of the old one: never half a file, and readable by its owner only."""
        path = self.path.resolve()  # of a link, what it points to
        try:
            path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            number, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")  # made 0600
            try:
                with os.fdopen(number, "w", encoding="utf-8") as file:
                    file.write(text)
                    file.flush()
                    os.fsync(file.fileno())
                Path(name).replace(path)
            except BaseException:
                with contextlib.suppress(OSError):
                    Path(name).unlink()
                raise
        except OSError as error:
            raise UsageError(f"{self._name}: cannot be written: {error.strerror}.") from error


def default_path() -> Path:
    """The file that the environment names, or the one in the platform's folder for settings."""
    named = os.environ.get(FILE_VARIABLE)
    return Path(named) if named else user_config_path("gilscope") / "config.toml"


def decode(text: str, name: str) -> Settings:
    """Settings from TOML.

    Raises:
        UsageError: something is wrong; names the file and the key.
    """
    name = clean(name)
    try:
        raw = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise UsageError(f"{name} is no TOML: {clean(str(error))}.") from error
    _refuse_unknown(raw, Settings, name, "")
    if isinstance(raw.get("layout"), dict):
        _refuse_unknown(raw["layout"], Layout, name, "layout.")
    try:
        settings = msgspec.convert(raw, Settings)
    except msgspec.ValidationError as error:
        raise UsageError(f"{name}, {_told(str(error))}") from error
    layout = settings.layout
    for key, panels in (("layout.panels", layout.panels), ("layout.rows", layout.rows)):
        for panel in panels:
            if panel not in PANELS:
                raise UsageError(f"{name}, {key}: there is no panel {clean(panel)}.{meant(panel, PANELS)}")
    if not layout.panels:
        raise UsageError(f"{name}, layout.panels: no panel is left.")
    if len(set(layout.panels)) != len(layout.panels):
        raise UsageError(f"{name}, layout.panels: a panel is named twice.")
    return settings


def meant(word: str, known: tuple[str, ...]) -> str:
    """The nearest of the known words as a question, or all of them."""
    near = difflib.get_close_matches(word, known, n=1)
    return f" Did you mean {near[0]}?" if near else f" There are: {', '.join(known)}."


def _refuse_unknown(raw: Mapping[str, Any], kind: type[msgspec.Struct], name: str, before: str) -> None:
    known = tuple(kind.__struct_fields__)
    for key in raw:
        if key not in known:
            raise UsageError(f"{name}: there is no setting {before}{clean(key)}.{meant(key, known)}")


_PLACE = re.compile(r" - at `\$\.?(.*)`$")
_WORDS = (
    ("Expected", "expected"),
    ("`int`", "a whole number"),
    ("`str`", "a text"),
    ("`bool`", "true or false"),
    ("`array`", "a list"),
    ("`object`", "a table"),
    ("`float`", "a number with a point"),
)


def _told(message: str) -> str:
    """An error of msgspec's in our words: the key, then what is wrong with it."""
    place = _PLACE.search(message)
    what = message[: place.start()] if place else message
    for theirs, ours in _WORDS:
        what = what.replace(theirs, ours)
    key = place.group(1).replace("[...]", ", a value of it") if place else "the file"
    return f"{clean(key)}: {clean(what)}."


def _plain(settings: Settings) -> dict[str, Any]:
    """All settings, those at their default too, as what TOML has."""
    found: dict[str, Any] = msgspec.to_builtins(settings)
    for key in settings.__struct_fields__:
        found.setdefault(key, msgspec.to_builtins(getattr(settings, key)))
    for key in Layout.__struct_fields__:
        found["layout"].setdefault(key, msgspec.to_builtins(getattr(settings.layout, key)))
    found["layout"]["panels"] = list(found["layout"]["panels"])
    return found


def _change(document: Any, before: Mapping[str, Any], after: Mapping[str, Any], table: Any) -> None:
    """Give a document's keys the values that differ, and take away those that are no more."""
    for key in before.keys() - after.keys():
        document.pop(key, None)
    for key, value in after.items():
        if before.get(key) == value:
            continue
        if isinstance(value, dict):
            if key not in document:
                document[key] = table()
            _change(document[key], before.get(key, {}), value, table)
        else:
            document[key] = value
