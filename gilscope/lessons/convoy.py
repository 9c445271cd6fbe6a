"""A thread that answers quickly and mostly sleeps, beside one that computes: each answer waits its turn."""

import sys
import threading
import time

SECONDS = float(sys.argv[1]) if len(sys.argv) > 1 else 10.0
end = time.monotonic() + SECONDS
alone_until = time.monotonic() + SECONDS * 0.2
answers = {"alone": 0, "beside": 0}


def answer():
    """Wait a moment for a request, and answer it: a few microseconds of work."""
    while time.monotonic() < end:
        time.sleep(0.001)
        answers["alone" if time.monotonic() < alone_until else "beside"] += 1


def compute():
    """Want to run Python all the time."""
    time.sleep(max(0.0, alone_until - time.monotonic()))
    while time.monotonic() < end:
        sum(range(1_000))


threads = [threading.Thread(target=answer, name="answers"), threading.Thread(target=compute, name="computes")]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
print(f"answers a second: {answers['alone'] / (SECONDS * 0.2):.0f} alone,", flush=True)
print(f"{answers['beside'] / (SECONDS * 0.8):.0f} beside one thread that computes", flush=True)
