"""Two workers that hash large buffers: C code that lets go of the GIL."""

import hashlib
import threading

DATA = bytes(1_000_000)


def digest(rounds: int) -> None:
    """Hash the same megabyte again and again."""
    for _ in range(rounds):
        hashlib.sha256(DATA).digest()


if __name__ == "__main__":
    workers = [threading.Thread(target=digest, args=(1500,)) for _ in range(2)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    print("hashed")
