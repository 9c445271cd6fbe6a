"""Runs one target headless, as gilscope does, with the streams of this process; for tests that compare.

    drive.py RESULT_FILE SPEC_JSON

What gilscope saw goes to the result file, so that the streams hold the target's output and nothing else. It
ends as the target did: same code, same signal.
"""

from __future__ import annotations

import json
import os
import resource
import select
import signal
import sys
from dataclasses import asdict
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))

from gilscope.launch import inject, tree
from gilscope.launch.reports import ForkReport, NoteReport, Report, ThreadsReport
from gilscope.launch.spec import TargetSpec
from gilscope.launch.target import Target


def main(result_file: str, spec_json: str) -> None:
    if "--allow-tracer" in sys.argv:
        inject.needs_tracer_permission = lambda: True
    signal.signal(signal.SIGINT, lambda *_: None)
    tree.become_subreaper()
    reports: list[Report] = []
    with Target.start(TargetSpec.from_json(spec_json)) as target:
        ready = target.wait_ready()
        before_go = target.poll()
        target.go()
        while target.poll() is None:
            if target.line_open:
                select.select([target.report_fd], [], [], 0.02)
            reports += target.reports()
        reports += target.reports()
        status = target.poll()
        target.stop()
        pid = target.pid
    assert status is not None
    result = {
        "pid": pid,
        "ready": asdict(ready) if ready else None,
        "not_ready": target.not_ready,
        "before_go": before_go is not None,
        "status": asdict(status),
        "forks": [asdict(report) for report in reports if isinstance(report, ForkReport)],
        "notes": [asdict(report) for report in reports if isinstance(report, NoteReport)],
        "threads": [asdict(report) for report in reports if isinstance(report, ThreadsReport)],
    }
    Path(result_file).write_text(json.dumps(result), encoding="utf-8")
    if status.signal is not None:
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        if status.signal not in {signal.SIGKILL, signal.SIGSTOP}:
            signal.signal(status.signal, signal.SIG_DFL)
        os.kill(os.getpid(), status.signal)
    os._exit(status.shell_code or 0)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2])
