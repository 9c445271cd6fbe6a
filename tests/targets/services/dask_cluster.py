"""A dask LocalCluster of two processes, which compute."""

import os
import time

WAIT_S = float(os.environ.get("WAIT_MS", "0")) / 1e3


def task(due):
    from counted import served
    from web import count

    count()
    time.sleep(WAIT_S)
    served(due)


if __name__ == "__main__":
    from counted import RATE, failed, parent_lives, times
    from distributed import Client, LocalCluster, as_completed

    cluster = LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=None)
    client = Client(cluster)
    due = times()
    going = as_completed([client.submit(task, next(due), pure=False) for _ in range(8)])
    print("READY", os.getpid(), flush=True)
    for future in going:
        if future.status != "finished":
            failed()
        if not parent_lives():
            break
        going.add(client.submit(task, next(due), pure=False))
