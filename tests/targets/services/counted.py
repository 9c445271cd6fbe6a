"""What was served is the size of a file: any number of processes can add to it, and anyone can read it."""

import os

FOLDER = os.environ["COUNTS"]


def _append(name):
    descriptor = os.open(os.path.join(FOLDER, name), os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)

    def add():
        os.write(descriptor, b"x")

    return add


served = _append("served")
failed = _append("failed")
_PARENT = os.getppid()


def parent_lives():
    """Whoever started this program is still there: it ends with them."""
    return os.getppid() == _PARENT
