"""Two threads compute, and a third that does little waits behind both."""

import threading
import time

end = time.monotonic() + 1.8


def beat():
    while time.monotonic() < end:
        time.sleep(0.003)


def work():
    n = 0
    while time.monotonic() < end:
        for _ in range(2000):
            n += 1


targets = [("beat", beat), ("busy-0", work), ("busy-1", work)]
threads = [threading.Thread(target=target, name=name) for name, target in targets]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
