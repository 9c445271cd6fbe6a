"""A pytest plugin: with `--gilscope`, a test that is marked with limits runs watched, and has to keep them.

    @pytest.mark.gilscope(fail_on="gil.contention > 0.5")
    def test_the_pool_does_not_fight_over_the_gil(): ...

Such a test runs in a pytest of its own, in a process that gilscope starts and watches: whatever threads and
processes the other tests have left behind is in no figure. The figures are of the test's call alone, without
its fixtures and without pytest's start. Its outcome, output and tracebacks come back as if it had run here; a
limit crossed makes it fail, and its recording is kept. Without `--gilscope` the mark does nothing.

docs/ci.md says what this cannot do.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from gilscope.analysis.limits import Limit, Outcome
    from gilscope.launch.runs import WatchedRun

MARK = "gilscope"
INNER = "GILSCOPE_PYTEST_REPORTS"
"""In the environment of the watched pytest: the file that its reports go to."""
_SLUG_LENGTH = 80


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add our options."""
    group = parser.getgroup("gilscope", "limits on how tests use the GIL")
    group.addoption(
        "--gilscope",
        action="store_true",
        help="Watch tests marked with gilscope, and hold their limits.",
    )
    group.addoption(
        "--gilscope-dir",
        metavar="DIR",
        default=None,
        help="Keep the recordings of tests that fail here (default: .gilscope in the root directory).",
    )
    group.addoption(
        "--gilscope-keep", action="store_true", help="Keep the recordings of tests that pass as well."
    )
    group.addoption(
        "--gilscope-args",
        metavar="ARG",
        action="append",
        default=[],
        help="Pass an argument on to the pytest that runs a watched test; may be repeated.",
    )


def pytest_configure(config: pytest.Config) -> None:
    """Make the mark known; in the watched pytest, write down what happens."""
    config.addinivalue_line(
        "markers",
        "gilscope(fail_on=...): with --gilscope, the test runs watched, and fails if an expression such as "
        "'gil.contention > 0.5' (or one of a list) is true of it; `gilscope run --fail-on help` lists them.",
    )
    reports = os.environ.get(INNER)
    if reports:
        config.pluginmanager.register(_Inner(config, Path(reports)), "gilscope-inner")


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_protocol(item: pytest.Item, nextitem: pytest.Item | None) -> bool | None:
    """Run a marked test watched."""
    if not item.config.getoption("gilscope") or os.environ.get(INNER):
        return None
    marks = list(item.iter_markers(MARK))
    if not marks:
        return None
    item.ihook.pytest_runtest_logstart(nodeid=item.nodeid, location=item.location)
    for report in _watched(item, marks):
        item.ihook.pytest_runtest_logreport(report=report)
    # The next test must find the fixtures of wider scopes as if this one had run here.
    torn = pytest.CallInfo.from_call(
        lambda: item.session._setupstate.teardown_exact(nextitem),  # noqa: SLF001 - there is no other way
        when="teardown",
    )
    if torn.excinfo is not None:
        failed = item.ihook.pytest_runtest_makereport(item=item, call=torn)
        item.ihook.pytest_runtest_logreport(report=failed)
    item.ihook.pytest_runtest_logfinish(nodeid=item.nodeid, location=item.location)
    return True


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """A line for each watched test: what it was, by its verdict."""
    lines = [
        f"{report.nodeid}: {words}"
        for reports in terminalreporter.stats.values()
        for report in reports
        if isinstance(report, pytest.TestReport)
        for name, words in report.user_properties
        if name == MARK
    ]
    if lines:
        terminalreporter.section("gilscope")
        for line in dict.fromkeys(lines):
            terminalreporter.write_line(line)


class _Inner:
    """In the watched pytest: writes reports, and when the test's call began and ended."""

    def __init__(self, config: pytest.Config, path: Path) -> None:
        self._config = config
        self._path = path

    def _write(self, kind: str, value: object) -> None:
        with self._path.open("a") as file:
            file.write(json.dumps([kind, value], default=str) + "\n")

    @pytest.hookimpl(hookwrapper=True)
    def pytest_runtest_call(self) -> Iterator[None]:
        start_ns = time.time_ns()
        yield
        self._write("span", [start_ns, time.time_ns()])

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        self._write(
            "report",
            self._config.hook.pytest_report_to_serializable(config=self._config, report=report),
        )


@dataclass(frozen=True)
class _Told:
    """What the watched pytest wrote."""

    reports: list[pytest.TestReport]
    span_ns: tuple[int, int] | None
    """When the test's call began and ended, since the epoch."""


def _watched(item: pytest.Item, marks: Sequence[pytest.Mark]) -> list[pytest.TestReport]:
    """The reports of a test that ran watched."""
    from gilscope.errors import GilscopeError  # noqa: PLC0415 - pytest starts with us, and starts fast
    from gilscope.folders import OwnFolder  # noqa: PLC0415
    from gilscope.launch.runs import run_watched  # noqa: PLC0415

    recording = _recording_of(item)
    try:
        limits = _limits(marks)
        with OwnFolder() as folder:
            told_to = folder.path / "reports"
            run = run_watched(_command(item, told_to, folder.path), recording)
            told = _read(item.config, told_to)
        summary, outcomes = _figures(run, recording, told, limits)
    except GilscopeError as error:
        return [_failure(item, f"gilscope: {error}", when="setup")]
    reports = told.reports
    if not any(report.when == "teardown" for report in reports):
        code = run.summary["target"]["exit_code"]
        reports.append(_failure(item, f"The test's process ended with exit code {code}.\n{run.said}"))
    lost = _judge(reports, summary, outcomes, recording)
    if not lost and not item.config.getoption("gilscope_keep"):
        recording.unlink(missing_ok=True)
    return reports


def _limits(marks: Sequence[pytest.Mark]) -> list[Limit]:
    from gilscope.analysis.limits import LimitError, parse  # noqa: PLC0415

    texts: list[str] = []
    for mark in marks:
        given = mark.kwargs.get("fail_on", ())
        if mark.args or set(mark.kwargs) - {"fail_on"}:
            raise LimitError(
                "the mark takes fail_on= and nothing else: it says what is not allowed.\n"
                "As in: @pytest.mark.gilscope(fail_on='gil.contention > 0.5')"
            )
        texts += [given] if isinstance(given, str) else list(given)
    return [parse(str(text)) for text in texts]


def _recording_of(item: pytest.Item) -> Path:
    """Where the recording of a test lies; its folder is there."""
    config = item.config
    given = config.getoption("gilscope_dir")
    folder = config.rootpath / ".gilscope" if given is None else config.invocation_params.dir / given
    folder.mkdir(parents=True, exist_ok=True)
    ignore = folder / ".gitignore"
    if given is None and not ignore.exists():
        ignore.write_text("*\n")
    slug = re.sub(r"[^\w.\[\]-]+", "-", item.nodeid)
    if slug != item.nodeid or len(slug) > _SLUG_LENGTH:
        # What was left out may be what tells two tests apart.
        digest = hashlib.sha256(item.nodeid.encode()).hexdigest()[:6]
        slug = f"{slug[-_SLUG_LENGTH:].lstrip('-.')}-{digest}"
    return folder / f"{slug}.gilscope"


def _command(item: pytest.Item, reports: Path, folder: Path) -> list[str]:
    """The options, and a pytest that runs this test alone, as this one would."""
    import sys  # noqa: PLC0415

    config = item.config
    option = config.option
    passed_on = ["--rootdir", str(config.rootpath), "--import-mode", str(option.importmode)]
    if config.inipath is not None:
        passed_on += ["-c", str(config.inipath)]
    for values, flag in ((option.override_ini, "-o"), (option.pythonwarnings, "-W"), (option.plugins, "-p")):
        for value in values or ():
            passed_on += [flag, str(value)]
    if config.pluginmanager.hasplugin("xdist"):
        passed_on += ["-n", "0"]
    if getattr(option, "xmlpath", None):
        passed_on += ["--junitxml", str(folder / "inner.xml")]
    if config.pluginmanager.hasplugin("_cov"):
        passed_on.append("--no-cov")
    path, colons, name = item.nodeid.partition("::")
    return [
        "--python", sys.executable,
        "--cwd", str(config.invocation_params.dir),
        "--env", f"{INNER}={reports}",
        "-m", "pytest", "--", *passed_on, *option.gilscope_args,
        f"{config.rootpath / path}{colons}{name}",
    ]  # fmt: skip


def _read(config: pytest.Config, path: Path) -> _Told:
    reports: list[pytest.TestReport] = []
    span_ns: tuple[int, int] | None = None
    for line in path.read_text().splitlines() if path.exists() else []:
        kind, value = json.loads(line)
        if kind == "span":
            span_ns = (value[0], value[1])
            continue
        # JSON knows no tuples, and pytest asks for them.
        value["location"] = tuple(value["location"])
        if isinstance(value.get("longrepr"), list):
            value["longrepr"] = tuple(value["longrepr"])
        report = config.hook.pytest_report_from_serializable(config=config, data=value)
        if isinstance(report, pytest.TestReport):
            reports.append(report)
    return _Told(reports, span_ns)


def _figures(
    run: WatchedRun, recording: Path, told: _Told, limits: Sequence[Limit]
) -> tuple[dict[str, Any], list[Outcome]]:
    """The summary of the test's call, and how it kept its limits."""
    from datetime import datetime  # noqa: PLC0415

    from gilscope.analysis.limits import check  # noqa: PLC0415
    from gilscope.exports.read import summary_of  # noqa: PLC0415
    from gilscope.recording.reader import RecordingReader  # noqa: PLC0415

    if told.span_ns is None:
        return run.summary, []  # its fixtures failed, or it was skipped
    began_ns = round(datetime.fromisoformat(run.summary["target"]["started"]).timestamp() * 1_000) * 1_000_000
    reader = RecordingReader(recording)
    try:
        first_ns, last_ns = (max(0, at_ns - began_ns) for at_ns in told.span_ns)
        last_ns = min(last_ns, reader.head_ns())
        summary = summary_of(reader, start_ns=min(first_ns, last_ns), end_ns=last_ns)
    finally:
        reader.close()
    return summary, [check(summary, limit) for limit in limits]


def _judge(
    reports: Sequence[pytest.TestReport],
    summary: dict[str, Any],
    outcomes: Sequence[Outcome],
    recording: Path,
) -> bool:
    """Add the verdict to the call's report, and fail it if a limit was not kept; whether anything failed."""
    verdict = summary["verdict"]
    failed = any(report.failed for report in reports)
    passed = any(report.when == "call" and report.passed for report in reports)
    # What a test does that fails or is skipped half-way is not what its limits are on.
    lost = [outcome.sentence for outcome in outcomes if passed and not outcome.passed]
    words = [verdict["headline"], *verdict["evidence"], *verdict["advice"]]
    for report in reports:
        if report.when != "call":
            continue
        kept = f"Recording: {recording}" if lost or failed else ""
        report.user_properties.append((MARK, verdict["headline"]))
        if lost and report.passed:
            report.outcome = "failed"
            report.longrepr = "\n".join([*lost, "", *words, "", kept, f"See it: gilscope replay {recording}"])
        else:
            measured = [outcome.sentence for outcome in outcomes]
            report.sections.append(("gilscope", "\n".join([*measured, *words, *([kept] if kept else [])])))
    return failed or bool(lost)


def _failure(item: pytest.Item, text: str, *, when: str = "call") -> pytest.TestReport:
    """A report that the test could not run to its end."""
    return pytest.TestReport(
        nodeid=item.nodeid,
        location=item.location,
        keywords=dict.fromkeys(item.keywords, 1),
        outcome="failed",
        longrepr=text,
        when="setup" if when == "setup" else "call",
    )
