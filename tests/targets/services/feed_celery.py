"""Keep the queue of a celery worker filled, or send its tasks when they are due."""

import os
import time

from celery_app import FOLDER, work
from counted import RATE, parent_lives, times

QUEUE, OUTBOX, SERVED = (os.path.join(FOLDER, name) for name in ("queue", "outbox", "served"))


def served():
    return os.path.getsize(SERVED) if os.path.exists(SERVED) else 0


def send(due):
    """The worker must not see a message that is half written: it would end."""
    work.delay(due)
    for name in os.listdir(OUTBOX):
        os.rename(os.path.join(OUTBOX, name), os.path.join(QUEUE, name))


sent, ready = 0, False
due = times()
while parent_lives():
    while RATE or sent - served() < 60:
        send(next(due))
        sent += 1
        if RATE:
            break
    if not ready and served():
        ready = True
        print("READY", flush=True)
    if not RATE:
        time.sleep(0.05)
