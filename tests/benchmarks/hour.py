"""`python -m tests.benchmarks.hour`: what exports of an hour cost: size, time, memory.

An hour of 8 busy threads that share one GIL in turns of 5 ms, written once; then each format in a process of
its own, whose memory is measured to its end.
"""

from __future__ import annotations

import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from gilscope.recording.writer import RecordingWriter
from gilscope.sources.scripted import Script, ScriptedSession, Sink

SCRIPT = Script(seconds=3600, cpu=8, io=0, cores=2, turn_ms=5.0, command="hour.py")
FORMATS = ("perfetto", "firefox", "speedscope", "csv", "cast", "html")
MOST_MB = 120.0


def make(path: Path, script: Script = SCRIPT) -> float:
    """Write a scripted session, in memory that does not grow with it; the seconds that took."""
    began = time.perf_counter()
    session = ScriptedSession(script)
    writer = RecordingWriter(path, session.session)
    sink: Sink = writer
    sink.put_processes(session.processes)
    sink.put_gils(session.gils)
    sink.put_lanes(session.lanes)
    for index in range(session.n_ticks):
        step = session.step(index)
        sink.put_tick(step.tick, step.holds)
        sink.put_process_ticks(step.process_ticks)
        sink.put_output(step.output)
        sink.put_events(step.events)
        sink.put_stacks(step.stacks)
        if index % 1_000 == 999:
            sink.commit()
            _forget(session, step.tick.start_ns)
    sink.put_session(session.head(session.n_ticks - 1, ended=True))
    writer.close()
    return time.perf_counter() - began


def _forget(session: ScriptedSession, before_ns: int) -> None:
    """A scripted session keeps all its holds, and looks each tick's up among them."""
    for turns in session._turns:
        turns.holds[:] = [hold for hold in turns.holds if hold.end_ns > before_ns]
        turns.waits[:] = [wait for wait in turns.waits if wait[2] > before_ns]


def export(recording: Path, name: str, folder: Path) -> tuple[float, float, float]:
    """Megabytes, seconds and the most memory of one export, as a user starts it."""
    target = folder / f"out.{name}.zip" if name == "csv" else folder / f"out.{name}"
    words = ["report"] if name == "html" else ["export"]
    command = [sys.executable, "-m", "gilscope", *words, str(recording), "--format", name, "-o", str(target)]
    began = time.perf_counter()
    process = subprocess.Popen(command)
    _, status, usage = os.wait4(process.pid, 0)
    took = time.perf_counter() - began
    if status:
        raise RuntimeError(f"{name} ended with {os.waitstatus_to_exitcode(status)}")
    return target.stat().st_size / 1e6, took, usage.ru_maxrss * 1024 / 1e6


def main(names: list[str]) -> int:
    """Print a row a format; 1 if one takes too much memory."""
    with tempfile.TemporaryDirectory(dir=os.environ.get("GILSCOPE_BENCH_DIR", "/var/tmp")) as folder:
        recording = Path(folder) / "hour.gilscope"
        seconds = make(recording)
        source_mb = recording.stat().st_size / 1e6
        print(f"an hour, 8 busy threads: {source_mb:.1f} MB, written in {seconds:.0f} s")
        print(f"(making it took at most {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:.0f} MiB)")
        print(f"{'format':<12}{'file MB':>9}{'seconds':>9}{'MB/s out':>10}{'MB/s in':>9}{'peak RSS MB':>13}")
        worst = 0.0
        for name in names or FORMATS:
            size_mb, took, rss_mb = export(recording, name, Path(folder))
            worst = max(worst, rss_mb)
            print(
                f"{name:<12}{size_mb:>9.1f}{took:>9.1f}{size_mb / took:>10.1f}{source_mb / took:>9.1f}"
                f"{rss_mb:>13.0f}",
                flush=True,
            )
    return int(worst > MOST_MB)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
