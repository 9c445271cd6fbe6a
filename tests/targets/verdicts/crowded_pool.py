"""A pool of four times as many processes as usable cores."""

import multiprocessing
import os
import time


def work(seconds):
    end = time.monotonic() + seconds
    n = 0
    while time.monotonic() < end:
        for _ in range(2000):
            n += 1
    return n


if __name__ == "__main__":
    count = 4 * len(os.sched_getaffinity(0))
    with multiprocessing.get_context("fork").Pool(count) as pool:
        pool.map(work, [1.7] * count, chunksize=1)
