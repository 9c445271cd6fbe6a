"""One thread computes."""

import time

end = time.monotonic() + 1.5
n = 0
while time.monotonic() < end:
    for _ in range(2000):
        n += 1
