"""The example of many an introduction: a function that only computes, in four threads."""

import threading
import time


def compute():
    end = time.monotonic() + 2
    n = 0
    while time.monotonic() < end:
        for i in range(1_000):
            n += i * i


threads = []
for _ in range(4):
    thread = threading.Thread(target=compute)
    threads.append(thread)
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
print("done")
