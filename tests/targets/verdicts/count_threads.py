"""Four threads compute in Python."""

import threading
import time

end = time.monotonic() + 1.8


def work():
    n = 0
    while time.monotonic() < end:
        for _ in range(2000):
            n += 1


threads = [threading.Thread(target=work, name="cpu-%d" % i) for i in range(4)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
