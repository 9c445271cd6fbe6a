"""The same counting in four processes: each has an interpreter of its own, and so a GIL of its own."""

import multiprocessing
import sys
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


if __name__ == "__main__":
    context = multiprocessing.get_context("fork")
    workers = [context.Process(target=count, args=(f"cpu-{i}",), name=f"cpu-{i}") for i in range(4)]
    print(f"{len(workers)} processes count for {SECONDS:g} s …", flush=True)
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
