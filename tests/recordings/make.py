"""Make the golden recording of today's schema, from a real short run: python -m tests.recordings.make.

Only for a new schema version: a file that was once released is never made again, as the point of it is that
newer versions read it.
"""

from __future__ import annotations

import contextlib
import json
import shutil
import sqlite3
import sys
import tempfile
from pathlib import Path

from gilscope.exports.read import summary_of
from gilscope.recording import schema
from gilscope.recording.reader import RecordingReader
from tests.commands import gilscope

HERE = Path(__file__).parent
SCRIPT = """
import multiprocessing, os, sys, threading, time

def count(seconds=1.3):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        for _ in range(2000):
            pass

def child():
    count(0.7)
    sys.exit(3)

child = multiprocessing.get_context("fork").Process(target=child, name="counter")
child.start()
threads = [threading.Thread(target=count, name=f"cpu-{n}") for n in range(2)]
threads.append(threading.Thread(target=time.sleep, args=(1.0,), name="sleeper"))
for thread in threads:
    thread.start()
print("\\x1b[32mgreen\\x1b[0m ü", flush=True)
child.join()
print("child ended with", child.exitcode, flush=True)
for thread in threads:
    thread.join()
"""
MACHINE = {"platform": "Linux 6 x86_64", "started": "2026-01-02T03:04:05.678+00:00"}
"""What says more about the machine than a test should know."""


def main() -> None:
    """Run, tidy, and store beside this file."""
    recording, summary = HERE / f"v{schema.VERSION}.gilscope", HERE / f"v{schema.VERSION}.json"
    with tempfile.TemporaryDirectory(dir="/var/tmp") as name:
        folder = Path(name)
        (folder / "golden.py").write_text(SCRIPT)
        outcome = gilscope(
            folder, "run", "--python", "/usr/bin/python3", "-o", folder / "r.gilscope", "golden.py"
        )
        if outcome.code:
            sys.exit(outcome.stderr)
        with contextlib.closing(sqlite3.connect(folder / "r.gilscope", isolation_level=None)) as db:
            db.executemany("UPDATE meta SET value = ? WHERE key = ?", [(v, k) for k, v in MACHINE.items()])
            db.execute("UPDATE frame SET file = replace(file, ?, '/home/user')", (name,))
            db.execute("INSERT INTO mark (at_ns, text) VALUES (500000000, 'half a second')")
            db.execute("VACUUM")
        shutil.copy(folder / "r.gilscope", recording)
    recording.chmod(0o644)
    reader = RecordingReader(recording)
    summary.write_text(json.dumps(summary_of(reader), indent=1, ensure_ascii=False) + "\n")
    reader.close()


if __name__ == "__main__":
    main()
