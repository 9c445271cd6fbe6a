"""Sorting large lists keeps the GIL; a heartbeat waits."""

import random
import threading
import time

numbers = [random.random() for _ in range(300_000)]
end = time.monotonic() + 1.6


def beat():
    while time.monotonic() < end:
        time.sleep(0.01)


thread = threading.Thread(target=beat, name="heartbeat")
thread.start()
while time.monotonic() < end:
    sorted(numbers)
thread.join()
