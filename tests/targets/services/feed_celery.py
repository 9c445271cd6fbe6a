"""Keep the queue of a celery worker filled, or send its tasks when they are due."""

import os
import time

from celery_app import FOLDER, work
from counted import RATE, parent_lives, times

QUEUE, SERVED = os.path.join(FOLDER, "queue"), os.path.join(FOLDER, "served")


def served():
    return os.path.getsize(SERVED) if os.path.exists(SERVED) else 0


sent, ready = 0, False
due = times()
while parent_lives():
    while RATE or sent - served() < 60:
        work.delay(next(due))
        sent += 1
        if RATE:
            break
    if not ready and served():
        ready = True
        print("READY", flush=True)
    if not RATE:
        time.sleep(0.05)
