"""What a thread costs, and what a process costs: fifty of each, measured."""

import multiprocessing
import os
import sys
import threading
import time

SECONDS = float(sys.argv[1]) if len(sys.argv) > 1 else 6.0
COUNT = 50


def memory_mb(pids):
    """Memory of some processes, what they share counted once (PSS)."""
    total = 0
    for pid in pids:
        with open(f"/proc/{pid}/smaps_rollup") as file:
            total += next(int(line.split()[1]) for line in file if line.startswith("Pss:"))
    return total / 1024


def wait_for(event):
    """Live until told to end."""
    event.wait()


def measure(kind, make, event, pids):
    """Start COUNT of a kind, keep them for a while, and say what that took."""
    before = memory_mb([os.getpid()])
    workers = [make(target=wait_for, args=(event,)) for _ in range(COUNT)]
    began = time.monotonic()
    for worker in workers:
        worker.start()
    took = time.monotonic() - began
    time.sleep(SECONDS / 2)
    everyone = [os.getpid(), *pids(workers)]
    grown = memory_mb(everyone) - before
    event.set()
    for worker in workers:
        worker.join()
    print(
        f"{COUNT} {kind}: started in {took * 1000:.1f} ms, {grown / COUNT:.2f} MiB each, "
        f"{len(everyone) - 1} more in the process table",
        flush=True,
    )


if __name__ == "__main__":
    context = multiprocessing.get_context("fork")
    measure("threads", threading.Thread, threading.Event(), lambda workers: [])
    measure("processes", context.Process, context.Event(), lambda workers: [w.pid for w in workers])
