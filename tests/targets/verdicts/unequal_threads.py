"""Three threads compute, and they do not live equally long; many others sleep."""

import threading
import time

begin = time.monotonic()


def work(seconds):
    n = 0
    while time.monotonic() < begin + seconds:
        for _ in range(500):
            n += 1


threads = [threading.Thread(target=work, args=(seconds,)) for seconds in (0.9, 1.6, 1.8)]
threads += [threading.Thread(target=time.sleep, args=(1.5,)) for _ in range(12)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
