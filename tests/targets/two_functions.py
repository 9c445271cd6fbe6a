"""Two functions hold the GIL 70 : 30, by the clock: in turns on one thread, or each on a thread of its own.

two_functions.py SECONDS [one|two]; prints how long each really took, as a busy machine makes turns longer.
"""

import sys
import threading
import time

SECONDS = float(sys.argv[1])
kind = sys.argv[2] if len(sys.argv) > 2 else "one"
UNIT_S = 0.001 if kind == "one" else 0.005
end = time.monotonic() + SECONDS
taken = {"seven": 0.0, "three": 0.0}


def seven(until):
    while time.monotonic() < until:
        pass


def three(until):
    while time.monotonic() < until:
        pass


def turn(function, units):
    began = time.monotonic()
    function(began + units * UNIT_S)
    taken[function.__name__] += time.monotonic() - began


def in_turns():
    while time.monotonic() < end:
        turn(seven, 7)
        turn(three, 3)


def alone(function, units, mine, other):
    while True:
        mine.acquire()
        if time.monotonic() < end:
            turn(function, units)
            other.release()
        else:
            other.release()
            return


print("READY", flush=True)
if kind == "one":
    in_turns()
else:
    first, second = threading.Semaphore(1), threading.Semaphore(0)
    turns = ((seven, 7, first, second), (three, 3, second, first))
    threads = [threading.Thread(target=alone, args=turn) for turn in turns]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
print("TOOK %.6f %.6f" % (taken["seven"], taken["three"]), flush=True)
