"""A thread pool compresses: C code that lets go of the GIL, called some hundred times a second."""

import os
import time
import zlib
from concurrent.futures import ThreadPoolExecutor

data = os.urandom(1 << 16) + b"gilscope " * 20_000
end = time.monotonic() + 1.6


def work(number):
    while time.monotonic() < end:
        zlib.compress(data, 6)


with ThreadPoolExecutor(2) as pool:
    list(pool.map(work, range(2)))
