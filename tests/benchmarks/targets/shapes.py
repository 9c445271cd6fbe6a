"""Threads that use the GIL in one of several shapes, for some seconds; prints their kernel ids."""

import hashlib
import json
import socket
import sys
import threading
import time

shape, seconds = sys.argv[1], float(sys.argv[2])
tids = {}


def named(function):
    def run(*arguments):
        tids[threading.current_thread().name] = threading.get_native_id()
        function(*arguments)

    return run


@named
def spin():
    n = 0
    while time.monotonic() < end:
        for _ in range(1_000):
            n += 1


@named
def digest():
    block = bytes(1_000_000)
    while time.monotonic() < end:
        hashlib.sha256(block).digest()


@named
def ask(line):
    while time.monotonic() < end:
        line.send(b"x" * 64)
        line.recv(64)
    line.close()


@named
def echo(line):
    while True:
        data = line.recv(64)
        if not data:
            return
        line.send(data)


def thread(name, function, *arguments):
    return threading.Thread(target=function, args=arguments, name=name)


here, there = socket.socketpair()
SHAPES = {
    "cpu": [thread("cpu-%d" % i, spin) for i in range(4)],
    "convoy": [
        *(thread("cpu-%d" % i, spin) for i in range(2)),
        thread("ask", ask, here),
        thread("echo", echo, there),
    ],
    "hashing": [thread("hash-%d" % i, digest) for i in range(3)],
}
time.sleep(0.5)  # let a watcher begin
end = time.monotonic() + seconds
for worker in SHAPES[shape]:
    worker.start()
for worker in SHAPES[shape]:
    worker.join()
print(json.dumps({"tids": tids}), flush=True)
