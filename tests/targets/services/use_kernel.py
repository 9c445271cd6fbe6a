"""Start a Jupyter kernel, and have it run one cell after the other."""

import os

from counted import failed, parent_lives, served, times
from jupyter_client.manager import KernelManager

manager = KernelManager(kernel_name="python3")
manager.start_kernel()
client = manager.blocking_client()
client.start_channels()
try:
    client.wait_for_ready(timeout=60)
    print("READY", manager.provisioner.pid, flush=True)
    for due in times():
        if not parent_lives():
            break
        if (
            client.execute_interactive("from web import count; count()", timeout=30)["content"]["status"]
            == "ok"
        ):
            served(due)
        else:
            failed()
finally:
    manager.shutdown_kernel(now=True)
