"""A dask LocalCluster of two processes, which compute."""

import os
import time

WAIT_S = float(os.environ.get("WAIT_MS", "0")) / 1e3


def task(number):
    from counted import served
    from web import count

    count()
    time.sleep(WAIT_S)
    served()
    return number


if __name__ == "__main__":
    from counted import failed, parent_lives
    from distributed import Client, LocalCluster, as_completed

    cluster = LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=None)
    client = Client(cluster)
    going = as_completed([client.submit(task, number, pure=False) for number in range(8)])
    print("READY", os.getpid(), flush=True)
    for future in going:
        if future.status != "finished":
            failed()
        if not parent_lives():
            break
        going.add(client.submit(task, 0, pure=False))
