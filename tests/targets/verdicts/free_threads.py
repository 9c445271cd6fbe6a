"""Two threads compute in Python, without a GIL."""

import threading
import time

end = time.monotonic() + 1.6


def work():
    n = 0
    while time.monotonic() < end:
        for _ in range(2000):
            n += 1


threads = [threading.Thread(target=work, name="cpu-%d" % i) for i in range(2)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
