"""Two functions hold the GIL 70 : 30, by the clock: in turns on one thread, or each on a thread of its own."""

import sys
import threading
import time

SECONDS = float(sys.argv[1])
kind = sys.argv[2] if len(sys.argv) > 2 else "one"
end = time.monotonic() + SECONDS
UNIT_S = 0.001


def seven(until):
    while time.monotonic() < until:
        pass


def three(until):
    while time.monotonic() < until:
        pass


def in_turns():
    while time.monotonic() < end:
        seven(time.monotonic() + 7 * UNIT_S)
        three(time.monotonic() + 3 * UNIT_S)


def alone(function, units, mine, other):
    while time.monotonic() < end:
        mine.acquire()
        function(time.monotonic() + units * UNIT_S)
        other.release()


print("READY", flush=True)
if kind == "one":
    in_turns()
else:
    first, second = threading.Semaphore(1), threading.Semaphore(0)
    turns = ((seven, 7, first, second), (three, 3, second, first))
    threads = [threading.Thread(target=alone, args=turn, daemon=True) for turn in turns]
    for thread in threads:
        thread.start()
    time.sleep(SECONDS)
