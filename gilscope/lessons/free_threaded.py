"""The four threads of the second lesson, on a Python without a GIL."""

import sys
import threading
import time

SECONDS = float(sys.argv[1]) if len(sys.argv) > 1 else 10.0


def count(name):
    """Count in pure Python until the time is over."""
    end = time.monotonic() + SECONDS
    n = 0
    while time.monotonic() < end:
        for _ in range(10_000):
            n += 1
    print(f"{name} counted to {n:,}", flush=True)


enabled = getattr(sys, "_is_gil_enabled", lambda: True)()
print(f"Python {sys.version.split()[0]}, the GIL is {'on' if enabled else 'off'}", flush=True)
threads = [threading.Thread(target=count, args=(f"cpu-{i}",), name=f"cpu-{i}") for i in range(4)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
