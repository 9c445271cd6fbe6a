"""Two interpreters in one process, each with a GIL of its own (from Python 3.12 on)."""

import sys
import threading

SECONDS = float(sys.argv[1]) if len(sys.argv) > 1 else 10.0
CODE = f"""
import time
end = time.monotonic() + {SECONDS}
n = 0
while time.monotonic() < end:
    for _ in range(10_000):
        n += 1
print(f"an interpreter counted to {{n:,}}", flush=True)
"""

try:
    from concurrent import interpreters  # 3.14

    runs = [interpreters.create().exec for _ in range(2)]
except ImportError:
    try:
        import _interpreters  # 3.13

        run = _interpreters.exec
    except ImportError:
        import _xxsubinterpreters as _interpreters  # 3.12

        run = _interpreters.run_string
    numbers = [_interpreters.create() for _ in range(2)]
    runs = [lambda code, number=number: run(number, code) for number in numbers]

threads = [
    threading.Thread(target=run, args=(CODE,), name=f"interpreter-{i + 1}") for i, run in enumerate(runs)
]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
