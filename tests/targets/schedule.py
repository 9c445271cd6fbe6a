"""Sleeps that keep the GIL (PyDLL) and sleeps that let go of it (CDLL), by turns; the real share at the end.

schedule.py SECONDS HELD_MS FREE_MS FILE
"""

import ctypes
import sys
import time

seconds, held_us, free_us = float(sys.argv[1]), int(sys.argv[2]) * 1000, int(sys.argv[3]) * 1000
keep, let_go = ctypes.PyDLL(None).usleep, ctypes.CDLL(None).usleep
begin = time.perf_counter()
held = 0.0
while time.perf_counter() - begin < seconds:
    before = time.perf_counter()
    keep(held_us)
    after = time.perf_counter()
    held += after - before
    let_go(free_us)
with open(sys.argv[4], "w") as file:
    file.write("%r %r" % (held, time.perf_counter() - begin))
