"""Many of everything: crowd.py THREADS PROCESSES. The last process says READY when all are there."""

import os
import sys
import threading
import time

threads, processes = int(sys.argv[1]), int(sys.argv[2])
told, tell = os.pipe()
parent = os.getpid()
for _ in range(processes - 1):
    if not os.fork():
        os.write(tell, b"x")
        while os.getppid() == parent:
            time.sleep(0.2)
        os._exit(0)
there = 0
while there < processes - 1:
    there += len(os.read(told, 64))
never = threading.Event()
for number in range(threads - 1):
    threading.Thread(target=never.wait, name="idle-%d" % number, daemon=True).start()
print("READY", flush=True)
while True:
    end = time.monotonic() + 0.01
    while time.monotonic() < end:
        pass
    time.sleep(0.04)
