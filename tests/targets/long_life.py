"""Little mixed work for as long as wished: eight threads, and short-lived threads and processes between."""

import hashlib
import os
import queue
import socket
import sys
import threading
import time

SECONDS = float(sys.argv[1])
THREADS_EVERY_S = float(sys.argv[2]) if len(sys.argv) > 2 else 0.5
PROCESSES_EVERY_S = float(sys.argv[3]) if len(sys.argv) > 3 else 10.0
END = time.monotonic() + SECONDS


def forever(step):
    def run():
        while time.monotonic() < END:
            step()

    return run


def count(seconds):
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        pass


def busy():
    """A fifth of a core."""
    count(0.01)
    time.sleep(0.04)


def hashes():
    hashlib.sha256(DATA).digest()
    time.sleep(0.1)


def produces():
    tasks.put(time.monotonic())
    time.sleep(0.05)


def consumes():
    try:
        tasks.get(timeout=1)
    except queue.Empty:
        pass


def asks():
    one.sendall(b"x")
    one.recv(1)
    time.sleep(0.05)


def answers():
    try:
        two.sendall(two.recv(1))
    except socket.timeout:
        pass


def waits():
    never.wait(0.2)


def reads():
    with open(__file__, "rb") as file:
        file.read()
    time.sleep(0.1)


DATA = bytes(200_000)
tasks = queue.Queue()
never = threading.Event()
one, two = socket.socketpair()
one.settimeout(1)
two.settimeout(1)
for step in (busy, hashes, produces, consumes, asks, answers, waits, reads):
    threading.Thread(target=forever(step), name=step.__name__, daemon=True).start()
print("READY", os.getpid(), flush=True)
threads = processes = 0
next_thread = next_process = time.monotonic()
while (now := time.monotonic()) < END:
    if now >= next_thread:
        next_thread += THREADS_EVERY_S
        threads += 1
        threading.Thread(target=count, args=(0.002,), name="short-%d" % threads).start()
    if now >= next_process:
        next_process += PROCESSES_EVERY_S
        processes += 1
        child = os.fork()
        if not child:
            count(0.1)
            os._exit(0)
        os.waitpid(child, 0)
    time.sleep(max(0.0, min(next_thread, next_process, END) - time.monotonic()))
print("ENDED", threads, processes, flush=True)
