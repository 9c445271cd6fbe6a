"""Threads of different kinds, told what to do on standard input. READY, then for each line one answer.

busy, quiet: a thread that computes until told to be quiet. start, end: one more thread that sleeps; its end.
exec PROGRAM ARG…: become another program.
"""

import os
import sys
import threading
import time

tids = {"main": threading.get_native_id()}
compute = threading.Event()
blocked = threading.Lock()
blocked.acquire()
endings = []


def started(name, function):
    known = threading.Event()

    def run():
        tids[name] = threading.get_native_id()
        known.set()
        function()

    threading.Thread(target=run, name=name, daemon=True).start()
    known.wait()


def worker():
    while True:
        compute.wait()
        for _ in range(2000):
            pass


started("worker", worker)
started("sleeper", lambda: time.sleep(3600))
started("locked", blocked.acquire)
print("READY", *["%s=%d" % item for item in tids.items()], flush=True)
for line in sys.stdin:
    word, *words = line.split()
    if word == "busy":
        compute.set()
    elif word == "quiet":
        compute.clear()
    elif word == "start":
        endings.append(threading.Event())
        started("extra", endings[-1].wait)
    elif word == "end":
        endings.pop().set()
    elif word == "exec":
        os.execv(words[0], words)
    print("done", tids.get("extra", 0), flush=True)
