"""A sub-interpreter with a GIL of its own (3.12 on) that computes on a thread, while the main one sleeps."""

import threading
import time

try:
    import _interpreters

    run = _interpreters.exec
except ImportError:
    import _xxsubinterpreters as _interpreters

    run = _interpreters.run_string

made = _interpreters.create()
code = "while True:\n    for _ in range(100000): pass\n"
thread = threading.Thread(target=lambda: run(made, code), daemon=True, name="own-gil")
thread.start()
print("READY", thread.native_id, flush=True)
time.sleep(600)
