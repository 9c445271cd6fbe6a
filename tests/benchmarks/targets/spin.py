"""Busy threads and idle ones, and busy or idle processes, for some seconds."""

import multiprocessing
import sys
import threading
import time

seconds = float(sys.argv[1])
busy, idle, processes = (int(argument) for argument in sys.argv[2:5])


def spin(end):
    n = 0
    while time.monotonic() < end:
        for _ in range(1_000):
            n += 1


if __name__ == "__main__":
    end = time.monotonic() + seconds
    children = [multiprocessing.Process(target=time.sleep, args=(seconds,)) for _ in range(processes)]
    for child in children:
        child.start()
    threads = [threading.Thread(target=time.sleep, args=(seconds,), name=f"idle-{i}") for i in range(idle)]
    threads += [threading.Thread(target=spin, args=(end,), name=f"cpu-{i}") for i in range(busy)]
    for thread in threads:
        thread.start()
    for worker in [*threads, *children]:
        worker.join()
