"""Threads hash: C code that lets go of the GIL."""

import hashlib
import threading
import time

data = bytes(1 << 20)
end = time.monotonic() + 1.6


def work():
    while time.monotonic() < end:
        hashlib.sha256(data).digest()


threads = [threading.Thread(target=work, name="hash-%d" % i) for i in range(2)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
