"""Eight workers that mostly wait, as for a network."""

import threading
import time


def fetch(number: int) -> None:
    """Wait for something outside, a few times."""
    for _ in range(10):
        time.sleep(0.15)
        sum(range(10_000 + number))


if __name__ == "__main__":
    workers = [threading.Thread(target=fetch, args=(number,)) for number in range(8)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    print("fetched")
