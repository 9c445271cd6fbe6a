"""The Textual app of `gilscope compare`: opens the recordings and shows them on one axis of time."""

from __future__ import annotations

import asyncio
import contextlib
import signal
from collections.abc import Sequence
from typing import Any, ClassVar

from gilscope.signals import HANG_UPS
from gilscope.views.comparing import ComparedRun, ComparedTable
from gilscope.views.keymap import key as _key
from gilscope.views.scope_app import ScopeApp
from gilscope.views.screens.compare_keys import COMPARE_WORDS, NOTES, key_list
from gilscope.views.screens.comparison import ComparisonScreen
from gilscope.views.screens.help import HelpScreen
from gilscope.views.section import Section


class CompareApp(ScopeApp):
    """Shows runs side by side until somebody quits. It only reads the recordings."""

    CSS_PATH = "gilscope.tcss"
    TITLE = "gilscope"
    BINDINGS: ClassVar[list[Any]] = [
        _key("ctrl+c,ctrl+q", "leave", "Quit", name="app.quit", shown="ctrl c", priority=True)
    ]

    def __init__(self, runs: Sequence[ComparedRun], table: ComparedTable) -> None:
        """Open the recordings. One that cannot be read is shown with the reason in place of its lanes."""
        super().__init__()
        self.hung_up = False
        """The terminal is gone: nothing can be printed on it any more."""
        self.sections = [Section(run) for run in runs]
        self.comparison = ComparisonScreen(self.sections, table)

    def on_mount(self) -> None:
        """Show them."""
        self.push_screen(self.comparison)
        if not self.is_headless:
            loop = asyncio.get_running_loop()
            for number in HANG_UPS:
                with contextlib.suppress(ValueError, RuntimeError):
                    loop.add_signal_handler(number, self._end, number)

    def _end(self, number: int) -> None:
        self.hung_up = number != signal.SIGTERM
        self.exit()

    def on_unmount(self) -> None:
        """Let go of the files."""
        for section in self.sections:
            section.close()

    def action_help(self) -> None:
        """Keys, states and words."""
        self.push_screen(HelpScreen(key_list(), panel="runs", words=COMPARE_WORDS, notes=NOTES))

    def action_leave(self) -> None:
        """Quit."""
        self.exit()
