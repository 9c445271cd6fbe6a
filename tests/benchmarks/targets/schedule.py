"""Threads that hold the GIL on a schedule known by construction, and print for how long each held it.

A call through PyDLL keeps the GIL, one through CDLL lets go of it; both sleep in C, so that no thread is
slowed by another's use of the CPU. The truth is what each thread measured around its own holding calls.
"""

import ctypes
import json
import sys
import threading
import time

SECONDS = float(sys.argv[1])
# Microseconds of holding, then of sleeping without it.
PLANS = {"long": (20_000, 30_000), "short": (3_000, 17_000), "rare": (1_000, 99_000)}
keep, release = ctypes.PyDLL(None), ctypes.CDLL(None)
truth = {}


def follow(name, hold_us, rest_us):
    held = 0
    while time.monotonic() < end:
        began = time.monotonic_ns()
        keep.usleep(hold_us)
        held += time.monotonic_ns() - began
        release.usleep(rest_us)
    truth[name] = held


began = time.monotonic_ns()
end = time.monotonic() + SECONDS
threads = [threading.Thread(target=follow, args=(n, *plan), name=n) for n, plan in PLANS.items()]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
wall = time.monotonic_ns() - began
print(json.dumps({"wall_ns": wall, "held_ns": truth}), flush=True)
