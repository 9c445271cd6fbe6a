"""Use the terminal as programs do."""

import os
import shutil
import signal
import sys
import termios
import time

changed = []
signal.signal(signal.SIGWINCH, lambda *_: changed.append(tuple(os.get_terminal_size())))
print([os.isatty(number) for number in range(3)], os.ttyname(0) == os.ttyname(1))
print(tuple(os.get_terminal_size()), tuple(shutil.get_terminal_size()))
print(os.getsid(0) == os.getpid(), os.tcgetpgrp(0) == os.getpgrp(), os.environ.get("TERM"))
print(os.open("/dev/tty", os.O_RDWR), sorted(key for key in os.environ if key in ("LINES", "COLUMNS")))
print([bool(flags) for flags in termios.tcgetattr(0)[:4]])
print("said", repr(input("name? ")))
while not changed:
    signal.pause()
print("now", changed[-1])
print("err", file=sys.stderr)
try:
    print("interrupt? ", flush=True)
    while True:
        time.sleep(0.05)
except KeyboardInterrupt:
    print("interrupted")
sys.exit(9)
