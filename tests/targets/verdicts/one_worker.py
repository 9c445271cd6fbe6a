"""All the work is done by one thread; the main thread and a pool of four have nothing to do."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor


def work(seconds):
    end = time.monotonic() + seconds
    total = 0
    while time.monotonic() < end:
        total += sum(number * number for number in range(500))
    return total


with ThreadPoolExecutor(4) as pool:
    list(pool.map(time.sleep, [0.01] * 4))
    worker = threading.Thread(target=work, args=(1.5,), name="worker")
    worker.start()
    worker.join()
