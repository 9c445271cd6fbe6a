"""What was served is the size of a file: any number of processes can add to it, and anyone can read it.

With RATE requests a second set, each is due at a time of its own, whether the one before is answered or not,
and how long it took is counted from then. Without, the next is due when the last is answered.
"""

import os
import struct
import time

FOLDER = os.environ["COUNTS"]


def _append(name):
    descriptor = os.open(os.path.join(FOLDER, name), os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)

    def add(data=b"x"):
        os.write(descriptor, data)

    return add


_served = _append("served")
_took = _append("took")
failed = _append("failed")
RATE = float(os.environ.get("RATE", "0"))


def served(due=None):
    """One more; how long it took, where it is known when it was due."""
    if due is not None:
        _took(struct.pack("d", time.monotonic() - due))
    _served()


def times(client=0, clients=1):
    """When each request of a client is due: waits until then, if it is not late already."""
    due = time.monotonic() + (client / RATE if RATE else 0)
    while True:
        left = due - time.monotonic()
        if left > 0:
            time.sleep(left)
        yield due
        due = due + clients / RATE if RATE else time.monotonic()


_PARENT = os.getppid()


def parent_lives():
    """Whoever started this program is still there: it ends with them."""
    return os.getppid() == _PARENT
