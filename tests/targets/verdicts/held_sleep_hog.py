"""C code that sleeps without letting go of the GIL; a heartbeat waits, and hardly a core is used."""

import ctypes
import threading
import time

end = time.monotonic() + 1.6
keep = ctypes.PyDLL(None).usleep


def beat():
    while time.monotonic() < end:
        time.sleep(0.01)


thread = threading.Thread(target=beat, name="heartbeat")
thread.start()
while time.monotonic() < end:
    keep(150_000)
thread.join()
