"""A parent that is told what to do on standard input. READY, then for each line one answer: a pid.

child: one more process that computes (by fork). other: one that is no Python, and sleeps. stop: stop itself by a
signal. exit CODE: end, and the children with it.
"""

import os
import signal
import subprocess
import sys

children = []


def compute():
    while True:
        for _ in range(2000):
            pass


def child():
    pid = os.fork()
    if pid == 0:
        compute()
    return pid


if "child" in sys.argv[1:]:
    children.append(child())
print("READY", *children, flush=True)
while True:
    word, *words = sys.stdin.readline().split() or ["exit", "0"]
    if word == "child":
        children.append(child())
    elif word == "other":
        children.append(subprocess.Popen(["sleep", "600"], stdin=subprocess.DEVNULL).pid)
    elif word == "stop":
        os.kill(os.getpid(), signal.SIGSTOP)
    elif word == "exit":
        for pid in children:
            os.kill(pid, signal.SIGKILL)
        os._exit(int(words[0]))
    print(children[-1] if children else 0, flush=True)
