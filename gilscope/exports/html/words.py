"""The words and figures of the page, made of a summary. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from gilscope.model import NS_PER_MS, NS_PER_S, Quality
from gilscope.text import duration_text

UNKNOWN = "?"
LANES_SHOWN = 200
FUNCTIONS_SHOWN = 30
STATES = ("running", "holding", "native", "waiting", "ready", "unknown")
"""In the order in which bars are stacked."""


def percent(share: float | None, digits: int = 0) -> str:
    """A share as per cent."""
    return UNKNOWN if share is None else f"{100 * share:.{digits}f} %"


def number(value: float | None, digits: int = 1, unit: str = "") -> str:
    """A figure with its unit behind it."""
    return UNKNOWN if value is None else f"{value:,.{digits}f}".replace(",", "\u202f") + unit


def with_error(share: float | None, error: float | None) -> str:
    """A share as per cent with the half of its 95 % interval."""
    return percent(share, 1) if error is None or share is None else f"{100 * share:.1f} ± {100 * error:.1f} %"


FILTERS: dict[str, Callable[..., str]] = {
    "percent": percent,
    "number": number,
    "with_error": with_error,
}

Tile = tuple[str, str, str]
"""What it is, its value, and a word more."""


def tiles(summary: Mapping[str, Any], quality: Quality) -> list[Tile]:
    """The figures on top."""
    target, totals, machine = summary["target"], summary["totals"], summary["machine"]
    wall = target["wall_s"] or 0.0
    made: list[Tile] = [("Wall time", number(wall, 1, " s"), f"{number(totals['cpu_s'], 1, ' s')} of CPU")]
    watched = [gil for gil in summary["gils"] if gil["utilisation"] is not None and gil["kind"] != "disabled"]
    if watched:
        gil = max(watched, key=lambda gil: gil["utilisation"])
        of = "" if len(watched) < 2 else f"busiest of {len(watched)}, pid {gil['pid']}"
        made.append(("GIL held", with_error(gil["utilisation"], gil["ci95"]), of or "of the time"))
        waiters = number(gil["waiters_mean"], 1, " waiting on average")
        made.append(("GIL contended", percent(gil["contention"]), waiters))
        rate = None if gil["handoffs"] is None or not wall else gil["handoffs"] / wall
        longest = number(gil["longest_hold_ms"], 1, " ms")
        made.append(("Handoffs", number(rate, 0, " /s"), f"longest hold {longest}"))
    cores = number(totals["cores_used_mean"], 1)
    made.append(("Cores used", cores, f"of {machine['cores_usable']} usable"))
    made.append(("Memory", number(totals["memory_peak_mb"], 1, " MB"), "at most"))
    made.append(("Cost of watching", percent(quality.cost_share, 1), "of one core"))
    return made


def lanes(summary: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Threads, the busiest first, with the widths of their bars in per cent."""
    rows = sorted(summary["lanes"], key=lambda lane: -(lane["alive_s"] - (lane["blocked_s"] or 0)))
    return [
        {
            **row,
            "bars": _bars(row),
            "waiting_error_s": _times(row.get("waiting_ci95"), row["alive_s"]),
            "longest_wait_ms": (row.get("waits") or {}).get("longest_ms"),
        }
        for row in rows[:LANES_SHOWN]
    ]


def _times(share: float | None, seconds: float) -> float | None:
    return None if share is None else share * seconds


def _bars(lane: Mapping[str, Any]) -> list[tuple[str, float]]:
    alive = lane["alive_s"] or 0.0
    if alive <= 0:
        return []
    left, made = 100.0, []
    for state in STATES:
        share = min(left, 100 * (lane[f"{state}_s"] or 0.0) / alive)
        left -= share
        if share >= 0.05:
            made.append((state, round(share, 2)))
    return made


def gils(summary: Mapping[str, Any]) -> list[dict[str, Any]]:
    """GILs, the busiest first."""
    wall = summary["target"]["wall_s"] or 0.0
    rows = [gil for gil in summary["gils"] if gil["samples"] or gil["kind"] == "disabled"]
    rows.sort(key=lambda gil: -(gil["utilisation"] or 0.0))
    return [
        {**gil, "handoffs_a_s": None if gil["handoffs"] is None or not wall else gil["handoffs"] / wall}
        for gil in rows
    ]


def functions(summary: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The functions that held the GIL most, and those that waited for it."""
    found: Sequence[dict[str, Any]] = summary["functions"] or []
    # What only calls others is in the list too.
    shown = [row for row in found if row["held_share"] or row["waiting_share"]] or list(found)
    return [{**row, "total_share": row.get("total_share")} for row in shown[:FUNCTIONS_SHOWN]]


def watch(quality: Quality) -> list[tuple[str, str]]:
    """How well it was watched: always all of it."""
    asked, achieved = quality.rate_asked_hz, quality.rate_achieved_hz
    rate = UNKNOWN if achieved is None else f"{achieved:.0f}"
    cost_s = quality.cost_cpu_ns / NS_PER_S
    return [
        ("samples", f"{quality.samples_taken} ({', '.join(quality.sources)})"),
        ("rate", f"{rate} of {asked:.0f} Hz asked"),
        ("tick", f"{quality.tick_ns / NS_PER_MS:g} ms or more"),
        ("cost", f"{percent(quality.cost_share, 1)} of a core, {cost_s:.2f} s of CPU"),
        ("latest sample", f"{duration_text(quality.late_ns_max)} late"),
        ("torn reads", str(quality.torn_reads)),
        ("failed reads", str(quality.failed_reads)),
        ("handoffs unseen", quality.handoffs_text),
        ("py-spy disagrees", f"in {quality.disagreements} of {quality.stacks} stacks"),
    ]
