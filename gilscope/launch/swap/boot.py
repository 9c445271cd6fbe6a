"""The few lines that load the swap in an interpreter: the target's first one, and spawned ones later."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import TypedDict

    class SwapConfig(TypedDict):
        """What the swap needs to know. It travels as its `repr`."""

        mode: str
        """threads or processes."""
        directory: str
        """Where the swap's files are."""
        package: str
        """The package that `-m` runs, which is the user's wherever it is; or nothing."""
        reports: tuple[int, int, int]
        """Descriptor, st_dev and st_ino of the socket to the launcher."""


NAME = "gilscope.launch.swap"

_TEXT = """\
import sys
if {name!r} not in sys.modules:
    for part in ("", "processes", "threads"):
        package = type(sys)(".".join(filter(None, ({name!r}, part))))
        package.__path__ = [{directory!r} + "/" + part]
        sys.modules[package.__name__] = package
    from {name}.hook import install
    install({config!r})
"""
"""Packages are made by hand: as `gilscope` is not there, CPython cannot import what is below it."""


def boot_text(config: SwapConfig) -> str:
    """Return the code that installs the swap; it does so once, however often it runs."""
    return _TEXT.format(name=NAME, directory=config["directory"], config=config)
