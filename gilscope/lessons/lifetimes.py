"""A daemon thread dies with its process. A child process does not die with its parent."""

import os
import sys
import threading
import time

SECONDS = float(sys.argv[1]) if len(sys.argv) > 1 else 6.0


def heartbeat(name, seconds):
    """Say now and then that one is alive."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        print(f"{name} lives, its parent is {os.getppid()}", flush=True)
        time.sleep(0.5)


parent = os.fork()
if parent == 0:
    # A careless parent: it starts a thread and a child, and ends without waiting for either.
    child = os.fork()
    if child == 0:
        heartbeat(f"child {os.getpid()}", SECONDS * 0.8)
        os._exit(0)
    threading.Thread(target=heartbeat, args=("daemon thread", SECONDS), daemon=True).start()
    time.sleep(SECONDS * 0.3)
    print(f"the parent {os.getpid()} ends", flush=True)
    sys.exit()
os.waitpid(parent, 0)
print("the careless parent has ended; its thread with it, its child not", flush=True)
time.sleep(SECONDS * 0.7)
