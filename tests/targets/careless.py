"""A parent that does not wait for its child, and a child that leaves a child of its own behind."""

import os
import sys
import time

seconds = float(sys.argv[1])
zombie = os.fork()
if zombie == 0:
    os._exit(3)
middle = os.fork()
if middle == 0:
    orphan = os.fork()
    if orphan == 0:
        end = time.monotonic() + seconds - 1
        while time.monotonic() < end:
            time.sleep(0.01)
        os._exit(0)
    print("orphan", orphan, flush=True)
    time.sleep(0.5)
    os._exit(0)
os.waitpid(middle, 0)
print("zombie", zombie, flush=True)
time.sleep(seconds)
