"""Four processes count, each with a GIL of its own. four_processes.py [SECONDS]."""

import multiprocessing
import sys
import time


def count(name, seconds):
    end = time.monotonic() + seconds
    n = 0
    while time.monotonic() < end:
        for _ in range(10_000):
            n += 1
    print(f"{name} counted to {n:,}", flush=True)


if __name__ == "__main__":
    seconds = float(sys.argv[1]) if len(sys.argv) > 1 else 5.0
    fork = multiprocessing.get_context("fork")
    workers = [fork.Process(target=count, args=(f"worker-{i}", seconds - i)) for i in range(4)]
    print(len(workers), "processes count …", flush=True)
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
