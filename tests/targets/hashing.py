"""Three threads hash blocks in C code that lets go of the GIL. hashing.py [SECONDS]."""

import hashlib
import sys
import threading
import time

end = time.monotonic() + (float(sys.argv[1]) if len(sys.argv) > 1 else 5.0)
block = bytes(4 << 20)


def digest():
    done = 0
    while time.monotonic() < end:
        hashlib.sha256(block).digest()
        done += 1
        if done % 100 == 0:
            sys.stdout.write(f"{threading.current_thread().name} has hashed {done * len(block) >> 20} MiB\n")
            sys.stdout.flush()


for i in range(3):
    threading.Thread(target=digest, name="hash-%d" % i).start()
