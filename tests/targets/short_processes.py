"""Forks processes that end at once, ten at a time, and prints how many."""

import multiprocessing
import sys


def nothing() -> None:
    """Do nothing: it has ended before anybody looks."""


if __name__ == "__main__":
    context = multiprocessing.get_context("fork")
    count = int(sys.argv[1])
    for _ in range(count // 10):
        workers = [context.Process(target=nothing) for _ in range(10)]
        for worker in workers:
            worker.start()
        for worker in workers:
            worker.join()
    print(count // 10 * 10)
