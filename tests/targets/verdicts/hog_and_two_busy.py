"""Two threads compute in Python, and a third calls C code that keeps the GIL for a quarter of a second."""

import ctypes
import threading
import time

end = time.monotonic() + 2.0
keep = ctypes.PyDLL(None).usleep


def work():
    n = 0
    while time.monotonic() < end:
        for _ in range(2000):
            n += 1


threads = [threading.Thread(target=work, name="cpu-%d" % i) for i in range(2)]
for thread in threads:
    thread.start()
while time.monotonic() < end:
    keep(250_000)
for thread in threads:
    thread.join()
