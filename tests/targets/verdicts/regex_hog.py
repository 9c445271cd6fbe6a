"""A regular expression that backtracks for a long time keeps the GIL; a heartbeat waits."""

import re
import threading
import time

end = time.monotonic() + 1.6


def beat():
    while time.monotonic() < end:
        time.sleep(0.01)


thread = threading.Thread(target=beat, name="heartbeat")
thread.start()
# Each letter more doubles the time.
text = "a" * 14
while time.monotonic() < end:
    before = time.monotonic()
    re.match(r"(a+)+$", text + "b")
    if time.monotonic() - before < 0.1:
        text += "a"
thread.join()
