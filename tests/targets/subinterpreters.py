"""Sub-interpreters, each run by a thread, compute for some seconds: own (a GIL each) or legacy (shared)."""

import sys
import threading

kind, seconds, count = sys.argv[1], float(sys.argv[2]), int(sys.argv[3])
try:
    import _interpreters as interpreters

    create = lambda: interpreters.create("isolated" if kind == "own" else "legacy")
    run = interpreters.exec
except ImportError:
    import _xxsubinterpreters as interpreters

    create = (
        (lambda: interpreters.create(isolated=kind == "own"))
        if sys.version_info >= (3, 12)
        else interpreters.create
    )
    run = interpreters.run_string

CODE = f"""
import time
end = time.monotonic() + {seconds}
while time.monotonic() < end:
    pass
"""
threads = [
    threading.Thread(target=run, args=(create(), CODE), name=f"sub-{number}") for number in range(count)
]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
