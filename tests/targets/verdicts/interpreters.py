"""Two interpreters of one process compute, each with a GIL of its own (CPython 3.13)."""

import threading

import _interpreters

code = """
import time
end = time.monotonic() + 1.6
n = 0
while time.monotonic() < end:
    for _ in range(2000):
        n += 1
"""
threads = [threading.Thread(target=_interpreters.exec, args=(_interpreters.create(), code)) for _ in range(2)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
