"""Runs one target headless, as gilscope does, with the streams of this process; for tests that compare.

    drive.py RESULT_FILE SPEC_JSON
    drive.py --serve DESCRIPTOR

What gilscope saw goes to the result file, so that the streams hold the target's output and nothing else. It
ends as the target did: same code, same signal.

With --serve it waits on that socket, and forks a driver for each that is asked for: it has imported all that
drivers need, which takes longer than most of their targets run.
"""

from __future__ import annotations

import json
import os
import resource
import select
import signal
import socket
import sys
import tempfile
import time
import traceback
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
            else:
                time.sleep(0.002)
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


def serve(descriptor: int) -> None:
    """Fork a driver for each message, and say its pid and its wait status; until the other end is closed."""
    line = socket.socket(fileno=descriptor)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    while True:
        asked, streams, _, _ = socket.recv_fds(line, 1 << 20, 3)
        if not asked:
            return
        pid = os.fork()
        if pid == 0:
            line.close()
            try:
                _become(streams, **json.loads(asked))
            except BaseException:
                traceback.print_exc()
            os._exit(1)  # a driver that ends as it should does not come here
        for stream in streams:
            os.close(stream)
        line.send(b"%d" % pid)
        line.send(b"%d" % os.waitpid(pid, 0)[1])


def _become(streams: list[int], arguments: list[str], cwd: str, env: dict[str, str]) -> None:
    """Have the streams, arguments, folder and environment that a driver of its own would be started with."""
    for number, stream in enumerate(streams):
        os.dup2(stream, number)
        os.close(stream)
    os.chdir(cwd)
    os.environ.clear()
    os.environ.update(env)
    tempfile.tempdir = None
    sys.argv[1:] = arguments
    main(arguments[0], arguments[1])


if __name__ == "__main__":
    if sys.argv[1] == "--serve":
        serve(int(sys.argv[2]))
    else:
        main(sys.argv[1], sys.argv[2])
