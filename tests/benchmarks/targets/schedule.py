"""Threads that hold the GIL on a schedule known by construction, and print for how long each held it.

A call through PyDLL keeps the GIL, one through CDLL lets go of it; both sleep in C, so that no thread is
slowed by another's use of the CPU. The truth is the number of a thread's holding calls times what one such
call takes, measured before the others start: a clock read after the call in Python would count the wait for
a GIL that was handed on in between.
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
truth, tids = {}, {}
ctypes.CDLL(None).prctl(29, 1, 0, 0, 0)  # wake exactly; the threads inherit it


def cost_ns(hold_us):
    calls = 20
    began = time.monotonic_ns()
    for _ in range(calls):
        keep.usleep(hold_us)
    return (time.monotonic_ns() - began) / calls


COSTS = {name: cost_ns(hold_us) for name, (hold_us, _) in PLANS.items()}


def follow(name, hold_us, rest_us):
    tids[name] = threading.get_native_id()
    calls = 0
    while time.monotonic() < end:
        keep.usleep(hold_us)
        calls += 1
        release.usleep(rest_us)
    truth[name] = calls * COSTS[name]


began = time.monotonic_ns()
end = time.monotonic() + SECONDS
threads = [threading.Thread(target=follow, args=(n, *plan), name=n) for n, plan in PLANS.items()]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
wall = time.monotonic_ns() - began
print(json.dumps({"wall_ns": wall, "held_ns": truth, "tids": tids}), flush=True)
