"""Four threads are created, and none is started: an object that could become a thread is not one yet."""

import sys
import threading
import time

SECONDS = float(sys.argv[1]) if len(sys.argv) > 1 else 3.0


def work(name):
    """What the threads were meant to do."""
    print(f"{name} works", flush=True)


threads = [threading.Thread(target=work, args=(f"worker-{i}",)) for i in range(4)]
print(f"{len(threads)} Thread objects, {threading.active_count()} thread", flush=True)
time.sleep(SECONDS)
print("done, and nobody worked", flush=True)
