"""Twenty threads ask a slow server. Waiting needs no GIL, so all of them can wait at the same time."""

import sys
import threading
import time

SECONDS = float(sys.argv[1]) if len(sys.argv) > 1 else 10.0
ANSWERS = 0.2
end = time.monotonic() + SECONDS
answers = []


def ask():
    """Ask again and again; the sleep stands for a server, and like a socket it lets go of the GIL."""
    while time.monotonic() < end:
        time.sleep(ANSWERS)
        answers.append(sum(range(1_000)))


threads = [threading.Thread(target=ask, name=f"ask-{i}") for i in range(20)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
print(
    f"{len(answers)} answers in {SECONDS:g} s; one after the other it would be {SECONDS / ANSWERS:.0f}",
    flush=True,
)
