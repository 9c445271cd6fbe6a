"""A C call that holds the GIL for some time, again and again, while three threads want it.

stall.py SECONDS TIMES; prints, for each call, how long it took by the program's own clock.
"""

import ctypes
import sys
import threading
import time

library = ctypes.PyDLL(None)  # unlike CDLL it does not let go of the GIL
HELD_S = float(sys.argv[1])
TIMES = int(sys.argv[2])
BETWEEN_S = 0.3
end = False


def spin():
    while not end:
        sum(range(200))


def hog():
    library.usleep(int(HELD_S * 1e6))


threads = [threading.Thread(target=spin, name="spin-%d" % i) for i in range(3)]
for thread in threads:
    thread.start()
print("READY", flush=True)
for _ in range(TIMES):
    time.sleep(BETWEEN_S)
    began = time.monotonic()
    hog()
    print("HELD %.3f" % ((time.monotonic() - began) * 1e3), flush=True)
end = True
for thread in threads:
    thread.join()
