"""NumPy: threads that multiply matrices, each for itself; or one, whose BLAS has threads of its own."""

import os
import sys
import threading
import time

THREADS = int(sys.argv[1])
os.environ["OPENBLAS_NUM_THREADS"] = sys.argv[2]
WAIT_S = float(os.environ.get("WAIT_MS", "0")) / 1e3

import numpy  # noqa: E402
from counted import parent_lives, served, times  # noqa: E402


def work(thread):
    a = numpy.random.default_rng(1).random((SIZE, SIZE))
    b = a.copy()
    for due in times(thread, THREADS):
        if not parent_lives():
            break
        numpy.dot(a, b)
        served(due)
        time.sleep(WAIT_S)


SIZE = int(os.environ.get("SIZE", "300"))
for number in range(THREADS):
    threading.Thread(target=work, args=(number,), name="matrix-%d" % number).start()
print("READY", os.getpid(), flush=True)
