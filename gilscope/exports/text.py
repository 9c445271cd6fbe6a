"""The summary for people: a verdict and two tables that fit 80 columns."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from gilscope.model import NS_PER_MS, NS_PER_S, Quality
from gilscope.roles import roles_in, with_role
from gilscope.text import clean, cut, duration_text, pad, width, wrap

WIDTH = 80
LANES_SHOWN = 24
"""More lanes than this are counted, not listed; the busiest come first."""
PROCESSES_SHOWN = 12
GAPS_SHOWN = 5
FUNCTIONS_SHOWN = 5
STALLS_SHOWN = 3
LEAST_SHARE = 0.01
"""Functions that held the GIL for less of its held time, or waited so little of it, are left out."""
NEARLY_ALL = 0.995
BLIND = (
    "py-spy does not see who waits for the GIL, nor how it passes on: "
    "time that may have been waiting is unknown."
)
NOTES_SHOWN = 12
_STATES = ("running", "holding", "waiting", "native", "ready", "blocked", "unknown")


def render(summary: Mapping[str, Any], quality: Quality | None = None) -> str:
    """The summary as text, ending in a newline. No line is wider than WIDTH.

    Args:
        summary: what is summed up.
        quality: how well it was watched; without it, only what the summary says of that.
    """
    lines = [_title(summary), ""]
    lines += _verdict(summary)
    lines += _gils(summary)
    lines += _lanes(summary)
    lines += _functions(summary)
    lines += _stalls(summary)
    lines += _processes(summary)
    lines += _notes(summary)
    lines += _quality(summary) if quality is None else _watch(quality)
    if summary["gilscope"]["source"] == "py-spy":
        lines += wrap(BLIND, WIDTH, then="  ")
    return "\n".join(cut(clean(line), WIDTH).rstrip() for line in lines) + "\n"


def _cut(text: str, cells: int) -> str:
    return cut(clean(text), cells)


def _percent(share: float | None, width: int = 0) -> str:
    text = "?" if share is None else f"{100 * share:.0f} %"
    return text.rjust(width)


def _title(summary: Mapping[str, Any]) -> str:
    target = summary["target"]
    python = _cut(" ".join(str(part) for part in (target["implementation"], target["python"]) if part), 30)
    code = target["exit_code"]
    parts = [
        target["mode"],
        python,
        f"{target['wall_s']:.1f} s",
        f"exit code {'?' if code is None else code}",
    ]
    tail = " · ".join(part for part in parts if part)
    command = _cut(str(target["command"]), max(10, WIDTH - len("gilscope   · ") - len(tail)))
    return f"gilscope  {command} · {tail}"


def _verdict(summary: Mapping[str, Any]) -> list[str]:
    verdict = summary["verdict"]
    if verdict is None:
        return []
    lines = wrap(clean(verdict["headline"]), WIDTH)
    for text in [*verdict["evidence"], *verdict["also"]]:
        lines += wrap(clean(text), WIDTH, first="  · ", then="    ")
    for text in verdict["advice"]:
        lines += wrap(clean(text), WIDTH, first="  → ", then="    ")
    confidence = verdict.get("confidence")
    if confidence:
        sure = f"Confidence: {confidence['level']}. {confidence['reason']}"
        lines += wrap(clean(sure), WIDTH, first="  ≈ ", then="    ")
    for text in verdict.get("would_change", ())[:1]:
        lines += wrap(clean(text), WIDTH, first="  ≠ ", then="    ")
    return [*lines, ""]


def _gils(summary: Mapping[str, Any]) -> list[str]:
    gils = [gil for gil in summary["gils"] if gil["utilisation"] is not None]
    if not gils:
        return []
    wall_s = summary["target"]["wall_s"] or 1.0
    lines = ["GIL of        held        contended  waiting  handoffs/s  longest hold"]
    gils.sort(key=lambda gil: -gil["utilisation"])
    for gil in gils[:PROCESSES_SHOWN]:
        if gil["kind"] == "disabled":
            lines.append(f"{_owner(gil, gils):<12}  off: free-threaded, threads run Python side by side")
            continue
        held = f"{_percent(gil['utilisation'])} ±{100 * (gil['ci95'] or 0):.1f}"
        waiters = "?" if gil["waiters_mean"] is None else f"{gil['waiters_mean']:.1f}"
        handoffs = "?" if gil["handoffs"] is None else f"{gil['handoffs'] / wall_s:.0f}"
        longest = "?" if gil["longest_hold_ms"] is None else f"{gil['longest_hold_ms']:.1f} ms"
        lines.append(
            f"{_owner(gil, gils):<12}  {held:<10}  {_percent(gil['contention'], 9)}  {waiters:>7}"
            f"  {handoffs:>10}  {longest:>12}"
        )
    if len(gils) > PROCESSES_SHOWN:
        lines.append(f"… and {len(gils) - PROCESSES_SHOWN} more")
    return [*lines, ""]


def _owner(gil: Mapping[str, Any], gils: list[Any]) -> str:
    """The process, and the interpreter in it where a process has several GILs."""
    several = sum(other["pid"] == gil["pid"] for other in gils) > 1
    return f"pid {gil['pid']}" + (f" #{gil['interpreter']}" if several else "")


def _lanes(summary: Mapping[str, Any]) -> list[str]:
    lanes = sorted(summary["lanes"], key=lambda lane: -(lane["alive_s"] - lane["blocked_s"]))
    several = len(summary["processes"]) > 1
    header = "".join(f"{state:>8}" for state in _STATES)
    lines = [f"{'thread':<16}{'CPU s':>7}{header}"]
    for lane in lanes[:LANES_SHOWN]:
        name = f"{lane['pid']} {lane['name']}" if several else lane["name"]
        alive = lane["alive_s"] or 1.0
        seconds = [lane[f"{state}_s"] for state in _STATES]
        shares = "".join(_percent(None if s is None else s / alive, 8) for s in seconds)
        lines.append(f"{pad(_cut(str(name), 15), 16)}{lane['cpu_s']:>7.2f}{shares}")
    if len(lanes) > LANES_SHOWN:
        lines.append(f"… and {len(lanes) - LANES_SHOWN} more")
    return [*lines, ""]


def _functions(summary: Mapping[str, Any]) -> list[str]:
    """The functions that held the GIL, those that waited for it, and on how many stacks that rests."""
    rows, rest_on = summary["functions"], summary["functions_rest_on"]
    stacks = sum(row["samples"] for row in rows)
    lines = _by_share(f"held the GIL in, by {stacks} stacks:", rows, "held_share")
    waiting, of_all = rest_on["waiting_stacks"], rest_on["waiting_share"]
    if waiting and of_all is not None:
        known = f"by {waiting} stack{'' if waiting == 1 else 's'}"
        if of_all < NEARLY_ALL:
            known += f", for {_percent(of_all)} of the waiting time"
        lines += _by_share(f"waited for the GIL in, {known}:", rows, "waiting_share")
    return lines


def _by_share(title: str, functions: list[Mapping[str, Any]], key: str) -> list[str]:
    rows = [row for row in functions if (row[key] or 0) >= LEAST_SHARE]
    if not rows:
        return []
    rows.sort(key=lambda row: -row[key])
    lines = [title]
    for row in rows[:FUNCTIONS_SHOWN]:
        file = str(row["file"]).rpartition("/")[2]
        lines.append(f"  {_percent(row[key], 5)}  {row['function']} ({file}:{row['line']})")
    if len(rows) > FUNCTIONS_SHOWN:
        lines.append(f"  … and {len(rows) - FUNCTIONS_SHOWN} more")
    return [*lines, ""]


def _stalls(summary: Mapping[str, Any]) -> list[str]:
    """The longest holds while others waited."""
    stalls = summary["stalls"]
    if not stalls:
        return []
    count = summary["stalls_total"]
    lines = [f"{count} stall{'' if count == 1 else 's'}, long holds while others waited:"]
    for stall in stalls[:STALLS_SHOWN]:
        where = f"  {stall['stack'][-1]}" if stall["stack"] else ""
        name = pad(_cut(str(stall["name"]), 15), 15)
        lines.append(f"  at {stall['at_s']:>8.2f} s  {name} {stall['held_ms']:>7.0f} ms{where}")
    if count > STALLS_SHOWN:
        lines.append(f"  … and {count - STALLS_SHOWN} shorter")
    return [*lines, ""]


def _processes(summary: Mapping[str, Any]) -> list[str]:
    processes = summary["processes"]
    totals = summary["totals"]
    lines = []
    if len(processes) > 1:
        lines.append(f"{'process':>8}{'CPU s':>8}{'memory MB':>11}{'threads':>9}  command")
        named = zip(processes, roles_in(processes), strict=True)
        busiest = sorted(named, key=lambda entry: -entry[0]["cpu_s"])
        for process, role in busiest[:PROCESSES_SHOWN]:
            memory = process["pss_max_mb"] if process["pss_max_mb"] is not None else process["rss_max_mb"]
            text = "?" if memory is None else f"{memory:.1f}"
            lines.append(
                f"{process['pid']:>8}{process['cpu_s']:>8.2f}{text:>11}{process['threads_max']:>9}"
                f"  {_cut(with_role(str(process['command']), role), WIDTH - 38)}"
            )
        if len(processes) > PROCESSES_SHOWN:
            lines.append(f"… and {len(processes) - PROCESSES_SHOWN} more")
        lines.append("")
    memory = totals["memory_peak_mb"]
    parts = [
        f"{totals['cores_used_mean'] or 0:.1f} of {summary['machine']['cores_usable']} cores used",
        f"{totals['cpu_s']:.2f} s CPU",
        "memory ?" if memory is None else f"{memory:.1f} MB at most",
    ]
    if totals["threads_started"] is not None:
        parts.append(f"{totals['threads_started']} of {totals['threads_created']} threads started")
    return [*lines, " · ".join(parts)]


def _notes(summary: Mapping[str, Any]) -> list[str]:
    """What the mode asked for could not carry over: the figures above are of a program that differs in it."""
    notes = summary["notes"]
    if not notes:
        return []
    lines = ["", f"Not the same in {_cut(str(summary['target']['mode']), 20)}:"]
    for note in notes[:NOTES_SHOWN]:
        times = f" ({note['times']} times)" if note["times"] > 1 else ""
        lines += wrap(clean(note["text"]) + times, WIDTH, first="  · ", then="    ")
    if len(notes) > NOTES_SHOWN:
        lines.append(f"  … and {len(notes) - NOTES_SHOWN} more")
    return [*lines, ""]


def _quality(summary: Mapping[str, Any]) -> list[str]:
    own = summary["gilscope"]
    achieved = own["rate_hz"]["achieved"]
    samples = max((gil["samples"] for gil in summary["gils"]), default=0)
    rate = "no samples" if achieved is None else f"{samples} samples at {achieved:.0f} Hz ({own['source']})"
    lines = [f"{rate} · cost {100 * (own['cost']['share_of_core'] or 0):.1f} % of a core"]
    seconds: dict[tuple[str, str], float] = {}
    for gap in own["gaps"]:
        key = (gap["source"], gap["reason"])
        seconds[key] = seconds.get(key, 0.0) + gap["seconds"]
    for (source, reason), total in sorted(seconds.items(), key=lambda item: -item[1])[:5]:
        lines += wrap(f"not read for {total:.1f} s ({clean(source)}): {clean(reason)}", WIDTH, then="  ")
    return lines


def _watch(quality: Quality) -> list[str]:
    """How well it was watched: always all of it, so that a zero is a figure and not an omission."""
    achieved = "?" if quality.rate_achieved_hz is None else f"{quality.rate_achieved_hz:.0f}"
    cost = "?" if quality.cost_share is None else f"{100 * quality.cost_share:.1f}"
    facts = [
        f"{quality.samples_taken} samples ({clean(', '.join(quality.sources))})",
        f"{achieved} of {quality.rate_asked_hz:.0f} Hz asked",
        f"tick ≥{quality.tick_ns / NS_PER_MS:g} ms",
        f"cost {cost} % of a core",
        f"latest sample {duration_text(quality.late_ns_max)} late",
        f"{quality.torn_reads} torn reads",
        f"{quality.failed_reads} failed reads",
        f"{quality.handoffs_text} handoffs unseen",
        f"py-spy disagrees in {quality.disagreements} of {quality.stacks} stacks",
    ]
    lines = _joined(facts)
    for text in quality.unknown:
        lines += wrap(clean(f"not known: {text}"), WIDTH, then="  ")
    if not quality.gaps:
        return [*lines, "no gaps"]
    for gap in quality.gaps[:GAPS_SHOWN]:
        seconds = f"{gap.ns / NS_PER_S:.1f} s" if gap.ns >= NS_PER_S // 10 else duration_text(gap.ns)
        what = f"not read for {seconds} ({clean(gap.source)}): {clean(gap.reason)}"
        lines += wrap(what, WIDTH, then="  ")
    if len(quality.gaps) > GAPS_SHOWN:
        lines.append(f"… and {len(quality.gaps) - GAPS_SHOWN} more reasons")
    return lines


def _joined(facts: list[str]) -> list[str]:
    """Facts with dots between them, none of them broken if it fits a line."""
    lines = [facts[0]]
    for fact in facts[1:]:
        if width(lines[-1]) + width(fact) + 3 <= WIDTH:
            lines[-1] += f" · {fact}"
        else:
            lines.append(fact)
    return lines
