"""Two functions wait for the GIL, each on a thread of its own, behind a third one that counts.

two_waiters.py SECONDS; prints how long each waited by its own clock: sleep() comes back once it has the GIL.
"""

import sys
import threading
import time

SECONDS = float(sys.argv[1])
sys.setswitchinterval(0.05)
waited = {"often": 0.0, "rarely": 0.0}


def often(end):
    while time.monotonic() < end:
        began = time.monotonic()
        time.sleep(0.005)
        waited["often"] += time.monotonic() - began - 0.005


def rarely(end):
    while time.monotonic() < end:
        began = time.monotonic()
        time.sleep(0.05)
        waited["rarely"] += time.monotonic() - began - 0.05


def count(end):
    number = 0
    while time.monotonic() < end:
        number += 1


end = time.monotonic() + SECONDS
threads = [threading.Thread(target=target, args=(end,), name=target.__name__) for target in (often, rarely)]
for thread in threads:
    thread.start()
count(end)
for thread in threads:
    thread.join()
print("WAITED %.6f %.6f" % (waited["often"], waited["rarely"]), flush=True)
