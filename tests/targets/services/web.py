"""A small web application, as WSGI and as ASGI: some Python to run, then a database to wait for."""

import asyncio
import os
import time

COMPUTE_S = float(os.environ.get("COMPUTE_MS", "4")) / 1e3
WAIT_S = float(os.environ.get("WAIT_MS", "0")) / 1e3


def count(steps=[0]):
    """So many steps as take COMPUTE_S of CPU time here: the same work at each request, however long it takes."""
    if not steps[0]:
        best = 1.0
        for _ in range(20):
            began = time.thread_time()
            run(10_000)
            best = min(best, time.thread_time() - began)
        steps[0] = max(1, int(10_000 * COMPUTE_S / best))
    run(steps[0])


def run(steps):
    total = 0
    for number in range(steps):
        total += number * number
    return total


def wsgi(environ, start_response):
    count()
    time.sleep(WAIT_S)
    start_response("200 OK", [("Content-Type", "text/plain"), ("Content-Length", "2")])
    return [b"ok"]


async def asgi(scope, receive, send):
    if scope["type"] != "http":
        return
    count()
    await asyncio.sleep(WAIT_S)
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"2")]})
    await send({"type": "http.response.body", "body": b"ok"})
