"""Two threads count, one sleeps; for any Python from 2.7 on. turns.py SECONDS [EXIT_CODE]: prints the two counts."""

from __future__ import print_function

import sys
import threading
import time

seconds = float(sys.argv[1])
counts = [0, 0]


def work(number):
    end = time.time() + seconds
    n = 0
    while time.time() < end:
        for _ in range(2000):
            n += 1
    counts[number] = n


threads = [threading.Thread(target=work, args=(number,), name="turn-%d" % number) for number in range(2)]
threads.append(threading.Thread(target=time.sleep, args=(seconds,), name="sleeper"))
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
print(*counts)
sys.exit(int(sys.argv[2]) if len(sys.argv) > 2 else 0)
