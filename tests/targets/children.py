"""Children by fork and by subprocess, Python and not; each works or sleeps for a second and a half."""

import os
import subprocess
import sys
import time


def work(seconds=1.5):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        for _ in range(2000):
            pass


if sys.argv[1:] == ["child"]:
    work()
    sys.exit(5)
forked = os.fork()
if forked == 0:
    work()
    os._exit(7)
python = subprocess.Popen([sys.executable, __file__, "child"])
other = subprocess.Popen(["/bin/sh", "-c", "i=0; while [ $i -lt 200000 ]; do i=$((i+1)); done; sleep 1"])
os.waitpid(forked, 0)
print("pids", os.getpid(), forked, python.pid, other.pid, python.wait(), other.wait() * 0, flush=True)
