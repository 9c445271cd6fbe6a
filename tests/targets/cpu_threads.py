"""Threads that count. cpu_threads.py COUNT [SECONDS]: READY and their kernel ids, then work to the end."""

import sys
import threading
import time

count, seconds = int(sys.argv[1]), float(sys.argv[2]) if len(sys.argv) > 2 else 600.0
tids = []
go = threading.Event()


def work():
    tids.append(threading.get_native_id())
    go.wait()
    end = time.monotonic() + seconds
    n = 0
    while time.monotonic() < end:
        for _ in range(2000):
            n += 1


threads = [threading.Thread(target=work, name="cpu-%d" % i, daemon=True) for i in range(count)]
for thread in threads:
    thread.start()
while len(tids) < count:
    time.sleep(0.001)
print("READY", *tids, flush=True)
go.set()
for thread in threads:
    thread.join()
