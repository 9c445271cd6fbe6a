"""The summary as Markdown, for the page of a CI job or a pull request. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from gilscope.analysis.limits import KEPT, UNKNOWN, Outcome
from gilscope.analysis.limits.check import quantity
from gilscope.model import Quality
from gilscope.roles import names_in
from gilscope.text import clean, cut

LANES_SHOWN = 12
GILS_SHOWN = 8
FUNCTIONS_SHOWN = 8
_LONGEST = 120
_SPECIAL = re.compile(r"([\\`*_{}\[\]<>#|~&])")
_STATES = ("running", "holding", "waiting", "native", "ready", "blocked")


def render(
    summary: Mapping[str, Any], quality: Quality | None = None, outcomes: Sequence[Outcome] = ()
) -> str:
    """The summary as Markdown (with tables), ending in a newline.

    Args:
        summary: what is summed up; all text of it is escaped.
        quality: how well it was watched; without it, only what the summary says of that.
        outcomes: how limits were kept.
    """
    parts = [
        _title(summary, outcomes),
        _verdict(summary),
        _limits(outcomes),
        _gils(summary),
        _lanes(summary),
        _functions(summary),
        _watch(summary, quality),
    ]
    return "\n\n".join("\n".join(part) for part in parts if part) + "\n"


def code(text: object) -> str:
    """A stranger's text in one line, as code: no markup, link, mention or end of a table's cell."""
    shown = cut(clean(str(text)), _LONGEST).replace("`", "'").replace("|", "\\|").strip()
    return f"`{shown or '?'}`"


def _sentence(text: str) -> str:
    """One of ours, with a stranger's names in it."""
    return _SPECIAL.sub(r"\\\1", clean(text)).replace("@", "@<!-- -->").replace("://", "\\://")


def _title(summary: Mapping[str, Any], outcomes: Sequence[Outcome]) -> list[str]:
    target = summary["target"]
    python = " ".join(str(part) for part in (target["implementation"], target["python"]) if part)
    ended = "?" if target["exit_code"] is None else target["exit_code"]
    lost = sum(not outcome.passed for outcome in outcomes)
    state = (
        ""
        if not outcomes
        else " – limits kept"
        if not lost
        else f" – {lost} of {len(outcomes)} limits not kept"
    )
    facts = [target["mode"], python, f"{target['wall_s']:.1f} s", f"exit code {ended}"]
    return [
        f"## gilscope: {code(target['command'])}{state}",
        "",
        " · ".join(_sentence(str(fact)) for fact in facts if fact),
    ]


def _verdict(summary: Mapping[str, Any]) -> list[str]:
    verdict = summary["verdict"]
    if verdict is None:
        return []
    lines = [f"**{_sentence(verdict['headline'])}**", ""]
    lines += [f"- {_sentence(text)}" for text in [*verdict["evidence"], *verdict["also"]]]
    lines += [f"- → {_sentence(text)}" for text in verdict["advice"]]
    confidence = verdict.get("confidence")
    if confidence:
        lines.append(f"- Confidence: {_sentence(confidence['level'])}. {_sentence(confidence['reason'])}")
    return lines


def _limits(outcomes: Sequence[Outcome]) -> list[str]:
    if not outcomes:
        return []
    lines = ["| limit (not allowed) | measured | |", "|---|--:|---|"]
    for outcome in outcomes:
        words = {KEPT: "✅ kept", UNKNOWN: "❌ unknown, counts as crossed"}.get(outcome.status, "❌ crossed")
        measured = quantity(outcome.value, outcome.limit.metric.unit)
        of = f", {outcome.of}" if outcome.of else ""
        lines.append(f"| {code(outcome.limit.text)} | {measured} | {words}{_sentence(of)} |")
    return lines


def _percent(share: float | None) -> str:
    return "?" if share is None else f"{100 * share:.0f} %"


def _process(pid: int | None, names: Mapping[int, str]) -> str:
    name = None if pid is None else names.get(pid)
    return str(pid) if name is None else f"{pid} {code(name)}"


def _gils(summary: Mapping[str, Any]) -> list[str]:
    gils = [gil for gil in summary["gils"] if gil["utilisation"] is not None]
    if not gils:
        return []
    lines = ["| GIL of | held | contended | waiting | longest hold |", "|---|--:|--:|--:|--:|"]
    gils.sort(key=lambda gil: -(gil["contention"] or 0.0))
    names = names_in(summary["processes"])
    for gil in gils[:GILS_SHOWN]:
        waiters = "?" if gil["waiters_mean"] is None else f"{gil['waiters_mean']:.1f}"
        longest = "?" if gil["longest_hold_ms"] is None else f"{gil['longest_hold_ms']:.1f} ms"
        held = f"{_percent(gil['utilisation'])} ±{100 * (gil['ci95'] or 0):.1f}"
        where = _process(gil["pid"], names)
        lines.append(f"| process {where} | {held} | {_percent(gil['contention'])} | {waiters} | {longest} |")
    return [*lines, *_more(len(gils), GILS_SHOWN)]


def _lanes(summary: Mapping[str, Any]) -> list[str]:
    lanes = sorted(summary["lanes"], key=lambda lane: -(lane["alive_s"] - lane["blocked_s"]))
    names = names_in(summary["processes"])
    lines = ["| thread | process | CPU s | " + " | ".join(_STATES) + " |", "|---" * 2 + "|--:" * 7 + "|"]
    for lane in lanes[:LANES_SHOWN]:
        alive = lane["alive_s"] or 1.0
        times = [lane[f"{state}_s"] for state in _STATES]
        shares = " | ".join(_percent(None if time is None else time / alive) for time in times)
        lines.append(
            f"| {code(lane['name'])} | {_process(lane['pid'], names)} | {lane['cpu_s']:.2f} | {shares} |"
        )
    return [*lines, *_more(len(lanes), LANES_SHOWN)]


def _functions(summary: Mapping[str, Any]) -> list[str]:
    """Where the GIL was held, and waited for."""
    rows = [row for row in summary["functions"] if (row["held_share"] or 0) or (row["waiting_share"] or 0)]
    if not rows:
        return []
    lines = ["| function | place | held | waited |", "|---|---|--:|--:|"]
    for row in rows[:FUNCTIONS_SHOWN]:
        file = str(row["file"]).rpartition("/")[2]
        place = f"{file}:{row['line']}"
        shares = f"{_percent(row['held_share'])} | {_percent(row['waiting_share'])}"
        lines.append(f"| {code(row['function'])} | {code(place)} | {shares} |")
    rest_on = summary["functions_rest_on"]
    stacks = f"held: {rest_on['stacks']} stacks; waited: {rest_on['waiting_stacks']} stacks"
    return [*lines, *_more(len(rows), FUNCTIONS_SHOWN), "", f"Shares of the time held and waited. {stacks}."]


def _more(count: int, shown: int) -> list[str]:
    return ["", f"… and {count - shown} more"] if count > shown else []


def _watch(summary: Mapping[str, Any], quality: Quality | None) -> list[str]:
    own, totals = summary["gilscope"], summary["totals"]
    achieved = own["rate_hz"]["achieved"]
    memory = totals["memory_peak_mb"]
    facts = [
        f"{totals['cores_used_mean'] or 0:.1f} of {summary['machine']['cores_usable']} cores used",
        f"{totals['cpu_s']:.2f} s CPU",
        "memory ?" if memory is None else f"{memory:.1f} MB at most",
        f"{'no' if achieved is None else f'{achieved:.0f}'} samples a second ({own['source']})",
        f"watching cost {_percent(own['cost']['share_of_core'])} of a core",
    ]
    gaps = sum(gap["seconds"] for gap in own["gaps"])
    facts.append(f"{gaps:.1f} s not read" if own["gaps"] else "no gaps")
    if quality is not None and quality.stacks:
        facts.append(f"py-spy disagrees in {quality.disagreements} of {quality.stacks} stacks")
    return [" · ".join(_sentence(fact) for fact in facts)]
