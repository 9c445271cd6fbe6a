"""A process and a child that it forked: becomes.py PROGRAM ARG… READY and the child's pid.

Told on standard input, for each line one answer. become: the child becomes PROGRAM. end: it is ended.
"""

import os
import signal
import sys

reader, writer = os.pipe()
pid = os.fork()
if pid == 0:
    os.read(reader, 1)
    os.execv(sys.argv[1], sys.argv[1:])
print("READY", pid, flush=True)
for line in sys.stdin:
    if line == "become\n":
        os.write(writer, b"x")
    else:
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
    print("done", flush=True)
