"""Four workers that count: pure Python, a set amount of it."""

import threading


def count(rounds: int) -> None:
    """Count so far."""
    value = 0
    for number in range(rounds):
        value += number * number


if __name__ == "__main__":
    workers = [threading.Thread(target=count, args=(6_000_000,)) for _ in range(4)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    print("counted")
