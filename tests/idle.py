"""The pilot waits until an app has nothing left to do, instead of until the process takes no CPU time.

Textual looks at the CPU time of the process in steps of 20 ms: that is 80 ms for each key, up to a second
while anything else in the process works, and a busy machine makes an app look idle that only waits for a
core. What is left to do can be asked for: callbacks of the loop, what is to be drawn, workers, another
size, one more frame of ours.
"""

from __future__ import annotations

import asyncio
from typing import Any

import textual._wait
import textual.app
import textual.pilot
from textual._context import active_app
from textual.app import App
from textual.screen import Screen

from gilscope.views.app import GilscopeApp

STEP_S = 0.001
"""How often workers are looked at, and a new size, which the app notes after a hundredth of a second."""
MOST_S = 1.0
"""What goes on and on, as what is live does, is left alone then, as by Textual."""


async def nothing_left(_min_sleep: float = 0.0, max_sleep: float = MOST_S) -> None:
    """Wait until the app has nothing left to do now; what timers will do later is not waited for."""
    app = active_app.get()
    loop = asyncio.get_running_loop()
    deadline = loop.time() + max_sleep
    framed = False
    while loop.time() < deadline and not app._exit:
        await asyncio.sleep(0)
        if loop._ready:  # type: ignore[attr-defined]
            continue
        if _draw(app):
            continue
        if app._resize_event is not None or any(not worker.is_finished for worker in app.workers):
            framed = False
            await asyncio.sleep(STEP_S)
        elif not framed and isinstance(app, GilscopeApp) and app._timer is not None:
            framed = app.call_later(app._frame)
        else:
            break


def _draw(app: App[Any]) -> bool:
    """Draw what is to be drawn, without waiting for the next sixtieth of a second; whether there was any."""
    if not app._screen_stack or app._batch_count:
        return False
    screen: Screen[Any] = app.screen
    if not screen.is_running or not (
        screen._layout_required
        or screen._scroll_required
        or screen._repaint_required
        or screen._recompose_required
        or screen._dirty_widgets
        or screen._callbacks
    ):
        return False
    screen._on_timer_update()
    return True


_of_textual = textual._wait.wait_for_idle


async def _wait(min_sleep: float = 0.02, max_sleep: float = MOST_S) -> None:
    """With a Textual that has other names inside than those above, as it waits itself: slower, no worse."""
    try:
        await nothing_left(min_sleep, max_sleep)
    except AttributeError:
        await _of_textual(min_sleep, max_sleep)


def install() -> None:
    """Have every pilot of this process wait like this."""
    for module in (textual.app, textual.pilot):
        module.wait_for_idle = _wait  # type: ignore[attr-defined]
