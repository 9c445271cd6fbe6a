"""Threads share one memory; processes have one each, copied when somebody writes to it."""

import multiprocessing
import sys
import threading
import time

SECONDS = float(sys.argv[1]) if len(sys.argv) > 1 else 10.0
numbers = [float(n) for n in range(3_000_000)]
notes = []


def kilobytes(field):
    """What the kernel says of this process's memory."""
    with open("/proc/self/smaps_rollup") as file:
        return next(int(line.split()[1]) for line in file if line.startswith(field))


def note(who):
    """Leave a note where all can see it; or so one would think."""
    notes.append(who)


def read_all(who, seconds):
    """Only read the numbers. But Python counts the references to an object in the object: reading writes."""
    end = time.monotonic() + seconds
    dirty = kilobytes("Private_Dirty")
    while time.monotonic() < end:
        for number in numbers:
            pass
    grown = kilobytes("Private_Dirty") - dirty
    print(f"{who}: {grown / 1024:.0f} MiB became its own while it read", flush=True)


if __name__ == "__main__":
    context = multiprocessing.get_context("fork")
    thread = threading.Thread(target=note, args=("a thread",))
    process = context.Process(target=note, args=("a process",))
    for worker in (thread, process):
        worker.start()
        worker.join()
    print(f"notes that arrived: {notes}", flush=True)
    readers = [context.Process(target=read_all, args=(f"process {i}", SECONDS)) for i in range(2)]
    for reader in readers:
        reader.start()
    for reader in readers:
        reader.join()
