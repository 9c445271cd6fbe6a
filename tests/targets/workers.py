"""Eight worker processes by a start method that compute for a second: workers.py METHOD [SECONDS].

Each tells its pid and when, by the clock that the kernel's start times use, it began to work.
"""

import multiprocessing
import sys
import time


def work(queue, seconds):
    queue.put((multiprocessing.current_process().pid, time.clock_gettime(time.CLOCK_BOOTTIME)))
    end = time.monotonic() + seconds
    n = 0
    while time.monotonic() < end:
        for _ in range(1_000):
            n += 1


if __name__ == "__main__":
    context = multiprocessing.get_context(sys.argv[1])
    seconds = float(sys.argv[2]) if len(sys.argv) > 2 else 1.0
    queue = context.Queue()
    workers = [context.Process(target=work, args=(queue, seconds)) for _ in range(8)]
    for worker in workers:
        worker.start()
    for _ in workers:
        print(*queue.get(), flush=True)
    for worker in workers:
        worker.join()
