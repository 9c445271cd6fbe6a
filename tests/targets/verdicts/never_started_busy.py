"""Three threads that are never started, and the main thread does the work of all of them."""

import threading
import time


def work(seconds):
    end = time.monotonic() + seconds
    n = 0
    while time.monotonic() < end:
        for _ in range(2000):
            n += 1


threads = [threading.Thread(target=work, args=(0.5,)) for _ in range(3)]
for thread in threads:
    thread.run()
