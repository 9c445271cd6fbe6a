"""Two scripts are started as programs of their own, and compute."""

import subprocess
import sys

code = """
import time
end = time.monotonic() + 1.5
n = 0
while time.monotonic() < end:
    for _ in range(2000):
        n += 1
"""
children = [subprocess.Popen([sys.executable, "-c", code]) for _ in range(2)]
for child in children:
    child.wait()
