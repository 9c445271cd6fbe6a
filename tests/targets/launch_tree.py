"""Start processes of every awkward kind, say READY with their pids, and wait."""

import os
import signal
import subprocess
import sys
import time

pids = []
reader, writer = os.pipe()


def child(prepare):
    pid = os.fork()
    if pid == 0:
        prepare()
        os.write(writer, b"%d\n" % os.getpid())
        while True:
            time.sleep(60)
    return pid


def nothing():
    pass


def ignore():
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    signal.signal(signal.SIGHUP, signal.SIG_IGN)


def session():
    os.setsid()


def grandchild():
    child(ignore)


def stop_self():
    os.write(writer, b"%d\n" % os.getpid())
    os.kill(os.getpid(), signal.SIGSTOP)


for prepare in (nothing, ignore, session, grandchild, stop_self):
    child(prepare)
middle = os.fork()
if middle == 0:
    os.setsid()
    child(ignore)
    child(nothing)
    os._exit(0)
os.waitpid(middle, 0)
middle = os.fork()
if middle == 0:
    process = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"], start_new_session=True)
    os.write(writer, b"%d\n" % process.pid)
    os._exit(0)
os.waitpid(middle, 0)

text = b""
while text.count(b"\n") < 9:
    text += os.read(reader, 4096)
print("READY", os.getpid(), *text.decode().split(), flush=True)
time.sleep(600)
