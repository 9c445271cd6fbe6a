"""A regular expression that takes long keeps the GIL for all of that time: nobody else runs, not even once."""

import re
import sys
import threading
import time

SECONDS = float(sys.argv[1]) if len(sys.argv) > 1 else 10.0
late = []
pattern = re.compile(r"(a+)+$")


def tick():
    """Want to run every 10 ms, as a screen, a heartbeat or a server would."""
    while time.monotonic() < end or not late:
        before = time.monotonic()
        time.sleep(0.01)
        late.append(time.monotonic() - before - 0.01)


def search(text):
    """Try every way to split a row of a's, only to find that none fits."""
    return pattern.match(text)


def measured(length):
    """Seconds of CPU time that it takes: on a busy machine it lasts longer."""
    before = time.thread_time()
    search("a" * length + "!")
    return time.thread_time() - before


length = 16
while measured(length) < 0.25:  # each more takes twice as long
    length += 1
end = time.monotonic() + SECONDS
thread = threading.Thread(target=tick, name="ticks")
thread.start()
while time.monotonic() < end:
    search("a" * length + "!")
    time.sleep(0.1)
thread.join()
print(f"a tick was late by {max(late) * 1000:.0f} ms at worst", flush=True)
