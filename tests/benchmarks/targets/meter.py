"""Pure Python in some threads, beside some that only sleep; how far each has come stands in a shared page."""

import mmap
import struct
import sys
import threading
import time

path, seconds = sys.argv[1], float(sys.argv[2])
busy, idle = int(sys.argv[3]), int(sys.argv[4])
with open(path, "r+b") as file:
    page = mmap.mmap(file.fileno(), 4096)
end = time.monotonic() + seconds
stop = threading.Event()


def count(slot):
    n = 0
    while time.monotonic() < end:
        for _ in range(500):
            n += 1
        struct.pack_into("q", page, 8 * slot, n)


idlers = [threading.Thread(target=stop.wait, name=f"idle-{i}") for i in range(idle)]
workers = [threading.Thread(target=count, args=(i,), name=f"cpu-{i}") for i in range(busy)]
for thread in [*idlers, *workers]:
    thread.start()
for thread in workers:
    thread.join()
stop.set()
