"""A thread wakes every few milliseconds for very little, beside one that computes."""

import threading
import time

end = time.monotonic() + 1.8


def beat():
    while time.monotonic() < end:
        time.sleep(0.003)


def work():
    n = 0
    while time.monotonic() < end:
        for _ in range(2000):
            n += 1


threads = [threading.Thread(target=beat, name="beat"), threading.Thread(target=work, name="busy")]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
