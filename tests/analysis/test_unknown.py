"""What cannot be known is named once, in the summary and on every screen."""

from __future__ import annotations

from dataclasses import replace

from gilscope.analysis.unknown import ATTACHED_UNKNOWN, not_known
from gilscope.model import ATTACHED, NOT_KNOWN, Event
from gilscope.sources.scripted import Script, ScriptedSession

SESSION = ScriptedSession(Script()).session


def told(text: str, kind: str = NOT_KNOWN) -> Event:
    return Event(at_ns=0, kind=kind, process=None, lane=None, text=text)


def test_a_session_of_which_all_is_known() -> None:
    assert not_known(SESSION, [told("started", "process-started")]) == []


def test_each_once_and_in_order() -> None:
    assert not_known(SESSION, [told("b"), told("a"), told("b")]) == ["b", "a"]


def test_a_process_that_was_there_before() -> None:
    attached = replace(SESSION, mode=ATTACHED)
    assert attached.attached
    assert not SESSION.attached
    assert not_known(attached, [told("a")]) == [ATTACHED_UNKNOWN, "a"]
