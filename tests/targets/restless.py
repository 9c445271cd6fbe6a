"""A bit of everything, lightly: threads that compute and sleep, a stall now and then, output, children, input.

Runs for the seconds that it is given.
"""

import subprocess
import sys
import threading
import time

until = time.monotonic() + float(sys.argv[1])


def compute(pause_s):
    while time.monotonic() < until:
        sum(range(10_000))
        time.sleep(pause_s)


def hold():
    many = list(range(1_000_000))
    while time.monotonic() < until:
        sorted(many, reverse=True)
        time.sleep(5)


def listen():
    for line in sys.stdin:
        print("heard", line.strip()[:40], flush=True)


def spawn():
    while time.monotonic() < until:
        subprocess.run([sys.executable, "-c", "sum(range(100_000))"])
        time.sleep(4)


threading.Thread(target=listen, daemon=True, name="listen").start()
workers = [threading.Thread(target=compute, args=(0.01 * n,), name=f"busy-{n} [b]") for n in (1, 3, 9)]
workers += [threading.Thread(target=hold, name="hold"), threading.Thread(target=spawn, name="spawn")]
for worker in workers:
    worker.start()
number = 0
while time.monotonic() < until:
    number += 1
    print(f"line {number} [red]not red[/] \x1b[31mred\x1b[0m \u65e5\u672c \U0001f600", flush=True)
    time.sleep(0.05)
