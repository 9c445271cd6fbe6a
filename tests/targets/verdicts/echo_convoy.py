"""A thread echoes what comes from a socket; another thread computes beside it. The client is a process."""

import os
import socket
import threading
import time

seconds = 1.8
server = socket.socket()
server.bind(("127.0.0.1", 0))
server.listen(1)
client = os.fork()
if client == 0:
    end = time.monotonic() + seconds
    talk = socket.create_connection(server.getsockname())
    while time.monotonic() < end:
        talk.sendall(b"x")
        talk.recv(1)
        time.sleep(0.001)
    os._exit(0)


def echo():
    talk, _ = server.accept()
    while True:
        data = talk.recv(1)
        if not data:
            break
        talk.sendall(data)


def work():
    end = time.monotonic() + seconds
    n = 0
    while time.monotonic() < end:
        for _ in range(2000):
            n += 1


threads = [threading.Thread(target=echo, name="echo"), threading.Thread(target=work, name="busy")]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
os.waitpid(client, 0)
