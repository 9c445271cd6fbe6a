"""A thread pool of tasks that compute in Python, hundreds of them."""

import time
from concurrent.futures import ThreadPoolExecutor

end = time.monotonic() + 1.8


def fib(n):
    return n if n < 2 else fib(n - 1) + fib(n - 2)


with ThreadPoolExecutor(3) as pool:
    while time.monotonic() < end:
        list(pool.map(fib, [15] * 60))
