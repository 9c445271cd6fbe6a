"""The app behind a page in a browser."""

from __future__ import annotations

from gilscope.views.app import GilscopeApp


class PageApp(GilscopeApp):
    """Others may show the same session: only what its user says ends that, not that the page is gone."""

    def _hung_up(self) -> None:
        self.outcome = "left-running"
        self.exit()

    def page_gone(self) -> None:
        """End, and leave the session as it is; may be called from any thread."""
        self.outcome = "left-running"
        self.call_later(self.exit)
