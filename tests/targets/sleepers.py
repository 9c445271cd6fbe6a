"""Threads that only sleep. sleepers.py COUNT SECONDS: READY and their kernel ids."""

import sys
import threading
import time

tids = []


def work():
    tids.append(threading.get_native_id())
    time.sleep(float(sys.argv[2]))


threads = [threading.Thread(target=work, name="sleeper-%d" % i, daemon=True) for i in range(int(sys.argv[1]))]
for thread in threads:
    thread.start()
while len(tids) < len(threads):
    time.sleep(0.001)
print("READY", *tids, flush=True)
for thread in threads:
    thread.join()
