"""An event loop that has a little to do every few milliseconds, and a thread that computes beside it."""

import asyncio
import time

end = time.monotonic() + 2.3


def work():
    n = 0
    while time.monotonic() < end:
        for _ in range(2000):
            n += 1


async def main():
    job = asyncio.get_running_loop().run_in_executor(None, work)
    while time.monotonic() < end:
        await asyncio.sleep(0.004)
    await job


asyncio.run(main())
