"""`gilscope run --fail-on`: read before the target starts, exit code 3 with the measured value."""

from __future__ import annotations

import json
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from gilscope.analysis.limits import METRICS
from tests.commands import complaint, gilscope

WORK = "def work():\n    while time.monotonic() < end: pass\n"
BUSY = f"import threading, time\nend = time.monotonic() + 1\n{WORK}"
THREADS = f"{BUSY}[threading.Thread(target=work).start() for _ in range(3)]"


def test_help_lists_the_metrics(tmp_path: Path) -> None:
    outcome = gilscope(tmp_path, "run", "--fail-on", "help")
    assert outcome.code == 0
    assert all(name in outcome.stdout.decode() for name in METRICS)


@pytest.mark.parametrize(
    ("expression", "says"),
    [
        ("gil.contetion > 0.5", "The nearest is gil.contention"),
        ("gil.contention >", "after > comes a number"),
        ("gil.contention > 50", "for per cent write %"),
    ],
)
def test_a_wrong_limit_ends_it_before_anything_runs(expression: str, says: str, tmp_path: Path) -> None:
    ran = tmp_path / "ran"
    outcome = gilscope(tmp_path, "run", "--fail-on", expression, "-c", f"open({str(ran)!r}, 'w').close()")
    assert says in complaint(outcome, 2)
    assert not ran.exists()


@pytest.mark.parametrize("option", ["--junit", "--markdown"])
def test_a_report_that_cannot_be_written_ends_it_before(option: str, tmp_path: Path) -> None:
    outcome = gilscope(
        tmp_path, "run", "--fail-on", "target.wall_s > 9", option, tmp_path / "no" / "f", "-c", "1"
    )
    assert option in complaint(outcome, 2)


def test_a_junit_report_of_nothing_is_refused(tmp_path: Path) -> None:
    outcome = gilscope(tmp_path, "run", "--junit", tmp_path / "j.xml", "-c", "1")
    assert "--fail-on" in complaint(outcome, 2)


def test_limits_crossed_kept_and_unknown(tmp_path: Path) -> None:
    outcome = gilscope(
        tmp_path, "run", "--headless", "--json", tmp_path / "s.json",
        "--fail-on", "gil.contention > 0.2", "--fail-on", "target.wall_s > 5 min",
        "--fail-on", "gil.waiters_max == 77",
        "--junit", tmp_path / "j.xml", "--markdown", tmp_path / "m.md", "-c", THREADS,
    )  # fmt: skip
    assert outcome.code == 3, outcome.stderr
    contention = outcome.summary["gils"][0]["contention"]
    assert (
        f"limit crossed: gil.contention > 0.2: measured {100 * contention:.1f} % (the GIL" in outcome.stderr
    )
    assert "limit kept: target.wall_s > 5 min: measured" in outcome.stderr
    assert [limit["status"] for limit in outcome.summary["limits"]] == ["crossed", "kept", "kept"]
    assert outcome.summary["limits"][0]["value"] == contention
    suite = ET.parse(tmp_path / "j.xml").getroot()[0]
    assert (suite.attrib["tests"], suite.attrib["failures"]) == ("3", "1")
    assert "❌ crossed" in (tmp_path / "m.md").read_text()
    for name in ("j.xml", "m.md"):
        assert (tmp_path / name).stat().st_mode & 0o777 == 0o600


def test_limits_kept(tmp_path: Path) -> None:
    outcome = gilscope(
        tmp_path, "run", "--headless", "--fail-on", "gil.contention > 50 %", "--markdown", "-",
        "-c", "import time; time.sleep(0.4)",
    )  # fmt: skip
    assert outcome.code == 0, outcome.stderr
    assert "limit kept" in outcome.stderr
    assert b"limits kept" in outcome.stdout


def test_what_was_not_read_is_no_pass(tmp_path: Path) -> None:
    """By py-spy nobody sees who waits."""
    outcome = gilscope(
        tmp_path, "run", "--headless", "--source", "py-spy", "--json", tmp_path / "s.json",
        "--fail-on", "gil.contention > 0.5", "-c", "import time; time.sleep(0.5)",
    )  # fmt: skip
    assert outcome.code == 3, outcome.stderr
    assert "limit unknown: gil.contention > 0.5: not read" in outcome.stderr
    assert "what is not known counts as crossed" in outcome.stderr


@pytest.mark.parametrize(
    ("code", "limit", "ends"), [(7, "target.wall_s > 0", 7), (0, "target.wall_s > 0", 3)]
)
def test_a_target_that_fails_keeps_its_exit_code(code: int, limit: str, ends: int, tmp_path: Path) -> None:
    outcome = gilscope(tmp_path, "run", "--headless", "--fail-on", limit, "-c", f"raise SystemExit({code})")
    assert outcome.code == ends
    assert "limit crossed" in outcome.stderr


def test_the_end_of_a_duration_is_no_failure_of_its_own(tmp_path: Path) -> None:
    outcome = gilscope(
        tmp_path, "run", "--headless", "--duration", "0.5", "--fail-on", "target.wall_s > 0",
        "-c", "import time; time.sleep(30)",
    )  # fmt: skip
    assert outcome.code == 3


def test_without_limits_the_summary_has_none(tmp_path: Path) -> None:
    outcome = gilscope(tmp_path, "run", "--headless", "--json", "-", "-c", "pass")
    assert "limits" not in json.loads(outcome.stdout)
