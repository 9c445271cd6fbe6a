"""All rules. The first that fits is the verdict; those that may stand beside it and fit are added to it."""

from __future__ import annotations

from gilscope.analysis.verdict.kinds import (
    convoy,
    free_threaded,
    gil_bound,
    gil_hog,
    interpreter_parallel,
    io_bound,
    mixed,
    native_parallel,
    never_started,
    oversubscribed,
    process_parallel,
    single_threaded,
    starved,
    too_short,
)
from gilscope.analysis.verdict.rule import Rule

RULES: tuple[Rule, ...] = (
    never_started.RULE,
    too_short.RULE,
    oversubscribed.RULE,
    process_parallel.RULE,
    interpreter_parallel.RULE,
    free_threaded.RULE,
    native_parallel.RULE,
    gil_hog.RULE,
    starved.RULE,
    gil_bound.RULE,
    convoy.RULE,
    io_bound.RULE,
    single_threaded.RULE,
    mixed.RULE,
)
"""In order: what is said of the whole program, then of one GIL, then of a program that nothing limits."""
BESIDE: tuple[Rule, ...] = (
    gil_hog.RULE,
    starved.RULE,
    gil_bound.RULE,
    convoy.RULE,
    process_parallel.RULE,
    interpreter_parallel.RULE,
    free_threaded.RULE,
    native_parallel.RULE,
    never_started.BESIDE,
)
"""Those that are also looked for beside another verdict."""
KINDS: tuple[str, ...] = tuple(rule.kind for rule in RULES)
