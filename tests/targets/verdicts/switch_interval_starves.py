"""With a switch interval of a minute, the first thread that computes keeps all others waiting."""

import sys
import threading
import time

sys.setswitchinterval(60)
end = time.monotonic() + 1.8


def work():
    n = 0
    while time.monotonic() < end:
        for _ in range(2000):
            n += 1


threads = [threading.Thread(target=work, name="cpu-%d" % i) for i in range(2)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
