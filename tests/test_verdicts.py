"""The table of programs: each is watched once, and must get its verdict."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.verdicts import FOLDER, TABLE, VERSIONS, Program, interpreters, run, wrong

PYTHONS = interpreters()
TRIES = 3
"""A machine that is busy with something else may show another program than the one that was written."""


@pytest.mark.parametrize("program", TABLE, ids=lambda program: program.name)
def test_the_verdict_that_it_must_get(program: Program, tmp_path: Path) -> None:
    python = PYTHONS.get(program.version)
    if python is None:
        pytest.skip(f"no CPython {program.version} was found (GILSCOPE_TEST_PYTHONS names more)")
    said = []
    for _ in range(TRIES):
        outcome = run(tmp_path, program, python)
        verdict = outcome.summary["verdict"]
        complaint = wrong(program, verdict)
        if complaint is None:
            return
        said.append(f"{complaint}: {verdict['headline']} {verdict['evidence']}")
    pytest.fail("\n".join(said))


def test_the_table() -> None:
    assert len(TABLE) >= 25
    assert sum(program.check for program in TABLE) >= 6
    assert {program.version for program in TABLE} >= set(VERSIONS)
    assert {path.name for path in FOLDER.glob("*.py")} == {
        p.path.name for p in TABLE if p.path.parent == FOLDER
    }
    assert len({program.name for program in TABLE}) == len(TABLE)
