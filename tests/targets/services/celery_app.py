"""Tasks for a celery worker, through a folder in place of a broker."""

import os
import time

from celery import Celery
from web import count

FOLDER = os.environ["COUNTS"]
for name in ("queue", "control", "outbox"):
    os.makedirs(os.path.join(FOLDER, name), exist_ok=True)
app = Celery("celery_app", broker="filesystem://")
app.conf.update(
    broker_transport_options={
        "data_folder_in": os.path.join(FOLDER, "queue"),
        "data_folder_out": os.path.join(FOLDER, "outbox"),
        "control_folder": os.path.join(FOLDER, "control"),
        "polling_interval": 0.02,
    },
    task_ignore_result=True,
    worker_prefetch_multiplier=8,
    worker_enable_remote_control=False,
)


@app.task
def work(due=None):
    from counted import failed, served

    try:
        count()
        time.sleep(float(os.environ.get("WAIT_MS", "0")) / 1e3)
        served(due)
    except Exception:
        failed()
        raise
