"""A fixed amount of pure Python over some threads, beside some that only sleep; prints how long it took."""

import sys
import threading
import time

busy, idle, rounds = (int(argument) for argument in sys.argv[1:4])
stop = threading.Event()


def count():
    n = 0
    for _ in range(rounds):
        for _ in range(1_000):
            n += 1


idlers = [threading.Thread(target=stop.wait, name=f"idle-{i}") for i in range(idle)]
workers = [threading.Thread(target=count, name=f"cpu-{i}") for i in range(busy)]
for thread in idlers:
    thread.start()
time.sleep(1.0)  # let a watcher begin: what is measured is the watching
began = time.perf_counter()
for thread in workers:
    thread.start()
for thread in workers:
    thread.join()
print(f"took {time.perf_counter() - began:.6f}", flush=True)
stop.set()
