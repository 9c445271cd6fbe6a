"""Ask a web server on a unix socket, some clients at a time."""

import http.client
import os
import socket
import sys
import threading
import time

from counted import failed, parent_lives, served, times

PATH, CLIENTS, PAUSE_S = sys.argv[1], int(sys.argv[2]), float(sys.argv[3])


class Connection(http.client.HTTPConnection):
    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(30)
        self.sock.connect(PATH)


def wait_for_server():
    for _ in range(600):
        try:
            ask(Connection("localhost"))
            return
        except OSError:
            time.sleep(0.05)
    sys.exit("the server does not answer")


def ask(connection):
    connection.request("GET", "/")
    answer = connection.getresponse()
    if answer.status != 200 or answer.read() != b"ok":
        raise http.client.HTTPException(answer.status)


def client(number):
    connection = Connection("localhost")
    for due in times(number, CLIENTS):
        try:
            ask(connection)
            served(due)
        except (OSError, http.client.HTTPException):
            failed()
            connection.close()
        time.sleep(PAUSE_S)


wait_for_server()
for number in range(CLIENTS):
    threading.Thread(target=client, args=(number,), daemon=True).start()
print("READY", flush=True)
while parent_lives():
    time.sleep(1)
