"""Threads that compute in C code which lets go of the GIL. hash_threads.py COUNT SECONDS."""

import hashlib
import sys
import threading
import time

end = time.monotonic() + float(sys.argv[2])
data = bytes(1 << 20)


def work():
    while time.monotonic() < end:
        hashlib.sha256(data).digest()


threads = [threading.Thread(target=work, name="hash-%d" % i) for i in range(int(sys.argv[1]))]
print("READY", flush=True)
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
