"""Two functions wait for the GIL behind a third one that counts: one on two threads, the other on one.

two_waiters.py SECONDS; prints how long each function waited by the program's own clock: sleep() comes back
once it has the GIL.
"""

import sys
import threading
import time

SECONDS = float(sys.argv[1])
SLEEP_S = 0.002
sys.setswitchinterval(0.05)
waited = {"pair": [], "single": []}


def wait_again_and_again(name, end):
    total = 0.0
    while True:
        began = time.monotonic()
        if began >= end:
            break
        yield
        total += time.monotonic() - began - SLEEP_S
    waited[name].append(total)


def pair(end):
    for _ in wait_again_and_again("pair", end):
        time.sleep(SLEEP_S)


def single(end):
    for _ in wait_again_and_again("single", end):
        time.sleep(SLEEP_S)


def count(end):
    number = 0
    while time.monotonic() < end:
        number += 1


end = time.monotonic() + SECONDS
threads = [threading.Thread(target=target, args=(end,)) for target in (pair, pair, single)]
for thread in threads:
    thread.start()
count(end)
for thread in threads:
    thread.join()
print("WAITED %.6f %.6f" % (sum(waited["pair"]), sum(waited["single"])), flush=True)
