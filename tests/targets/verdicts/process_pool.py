"""A pool of two processes computes."""

import multiprocessing
import time


def work(seconds):
    end = time.monotonic() + seconds
    n = 0
    while time.monotonic() < end:
        for _ in range(2000):
            n += 1
    return n


if __name__ == "__main__":
    with multiprocessing.get_context("fork").Pool(2) as pool:
        pool.map(work, [1.7, 1.7], chunksize=1)
