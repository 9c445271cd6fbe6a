"""Four times as many hashing threads as usable cores: nothing to do with the GIL."""

import hashlib
import os
import threading
import time

data = bytes(1 << 20)
end = time.monotonic() + 1.7


def work():
    while time.monotonic() < end:
        hashlib.sha256(data).digest()


threads = [threading.Thread(target=work) for _ in range(4 * len(os.sched_getaffinity(0)))]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
