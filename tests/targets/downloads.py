"""Eight threads that wait most of the time, as for a network, and compute a little. downloads.py [SECONDS]."""

import sys
import threading
import time

end = time.monotonic() + (float(sys.argv[1]) if len(sys.argv) > 1 else 5.0)


def fetch(pause):
    page = 0
    while time.monotonic() < end:
        time.sleep(pause)
        page += 1
        sum(n * n for n in range(60_000))
        sys.stdout.write(f"{threading.current_thread().name} got page {page}\n")
        sys.stdout.flush()


for i in range(8):
    threading.Thread(target=fetch, args=(0.15 + 0.05 * i,), name="fetch-%d" % i).start()
