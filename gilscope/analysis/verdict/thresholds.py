"""Where one verdict ends and another begins: the one table, each with how it was chosen.

They come from what CPython and the kernel do (the switch interval, one GIL a process, a run queue a core) and
from round figures between what the cases that they part look like, and not from fitting them to targets.
`docs/verdicts.md` shows this table; a test holds the two together.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Thresholds:
    """All limits of all rules. Shares are 0 – 1, of the time that was watched unless they say otherwise."""

    samples_min: int = 100
    """Fewer samples of all GILs say nothing: at 100, the error of a share is up to ±10 points (95 %)."""
    wall_s_min: float = 0.2
    """Seconds. Below it, the start of the interpreter is most of what was seen."""
    contended: float = 0.3
    """Share of time in which a thread waits for a GIL, from which the GIL limits. Threads that meet by
    chance, each using it a tenth of the time, stay below 0.1; two that always want it reach 1."""
    utilised: float = 0.7
    """Share of time in which a GIL is held, from which it is used up: at 0.7, doing without it could not
    give half as much again from the same GIL."""
    parallel_cores: float = 1.2
    """Mean number of lanes that use a core or stand in a run queue, from which work goes side by side. One
    thread alone is at most 1; a fifth is left for the moments when one ends as the next begins."""
    spread_share: float = 0.2
    """Part of that work that is not in the busiest process, from which several processes compute. The same
    fifth."""
    native_share: float = 0.5
    """Part of the CPU time that is spent without the GIL, from which work side by side is work in C code:
    more of it than of Python."""
    idle_cores: float = 0.5
    """The same mean number, below which the program mostly waits for something else: half of the time
    nobody wants a core."""
    dominant_share: float = 0.7
    """Part of that work from which one lane does nearly all of it: more than twice all others together."""
    active_lane_share: float = 0.1
    """Part of its life in which a thread wants a GIL, from which it counts as one of those that do."""
    convoy_waiting_share: float = 0.1
    """Part of its life that a thread waits for a GIL, from which that is felt: a tenth of its time lost."""
    convoy_waiting_per_held: float = 3.0
    """Seconds of waiting per second of holding, from which a thread's turns cost more than they bring. What
    waits so for fairness alone is one of five equal threads, and fails the next."""
    convoy_held_of_busiest: float = 0.25
    """A thread that holds a GIL at less than this part of the busiest thread's rate lets go of it early;
    threads that compute, and take turns, come out about equal (measured: within a third)."""
    convoy_utilised: float = 0.5
    """Share of time in which the GIL in front of the convoy is held, by a busy lane and not by the convoy."""
    hog_intervals: float = 4.0
    """Switch intervals (5 ms each) that a contended turn takes on average, from which its holder does not
    let go of it when asked. Python code does after one; the rest is for a holder that gets no core."""
    hog_share: float = 0.2
    """Share of time spent in holds of that kind while others wait, from which they are the main thing: a
    pause in five moments."""
    starved_waiting_share: float = 0.5
    """Part of its life that a thread waits for the GIL, from which it is starved, if the next two
    hold too."""
    starved_held_share: float = 0.1
    """Part of its life, at most, that a starved thread holds the GIL: less than one of ten equal threads."""
    starved_turn_s: float = 0.1
    """Seconds that a contended turn takes on average, from which a wait is starvation and not a turn: a
    delay that a person notices. Equal threads would have to be twenty to wait so long at 5 ms each."""
    oversubscribed: float = 2.5
    """Lanes that could run per usable core. Twice as many workers as cores is a common, harmless choice;
    half as many again leaves no doubt."""
    oversubscribed_delayed: float = 0.4
    """Part of the time they could run in which they get no core. At 2.5 a core it is 0.6 if they want to
    run all the time."""
    never_started: float = 0.5
    """Part of all threads created that were never started, from which that is the main thing:
    most of them."""
    unknown_share: float = 0.1
    """Part of the lanes' lives that could not be read, from which a verdict is less sure."""
    busy_machine_share: float = 0.2
    """Part of the time that lanes could run in which they got no core although there were as many usable
    cores as lanes, on a full machine: other programs took them."""
    full_machine: float = 0.9
    """Part of all cores in use, by whatever program, from which the machine has none to give."""
    margin_low: float = 0.1
    """A deciding figure nearer to its limit than this part of it leaves little confidence: the spread of two
    runs of one program on a busy machine."""
    margin_high: float = 0.25
    """All deciding figures at least this part beyond their limits are a clear case."""
    samples_high: int = 1000
    """Samples from which the error of a share is at most ±3 points, small beside the margins."""
    live_span_s: float = 3.0
    """Seconds that a live verdict is on, the last ones: at 1000 samples a second, enough for little error,
    and short enough to follow what a person sees happen."""
    live_slack: float = 0.15
    """Part of a limit by which a figure may fall back before the live verdict lets go of its kind: more than
    the spread of two runs, less than a clear margin."""
    live_settle_s: float = 1.5
    """Seconds that another kind has to stand before it is shown: half of what the verdict is on."""
    live_give_up_s: float = 6.0
    """Seconds after which a kind that no longer fits is given up, although none has stood in its place:
    two whole spans."""


THRESHOLDS = Thresholds()
