"""Two threads hash large blocks. The C code behind hashlib lets go of the GIL while it computes."""

import hashlib
import sys
import threading
import time

SECONDS = float(sys.argv[1]) if len(sys.argv) > 1 else 10.0
end = time.monotonic() + SECONDS
block = bytes(8 << 20)


def digest(name):
    """Hash until the time is over."""
    done = 0
    while time.monotonic() < end:
        hashlib.sha256(block).digest()
        done += 1
    print(f"{name} hashed {done * len(block) >> 20:,} MiB", flush=True)


threads = [threading.Thread(target=digest, args=(f"hash-{i}",), name=f"hash-{i}") for i in range(2)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
