"""Fifty tasks of one event loop that mostly wait."""

import asyncio
import time

end = time.monotonic() + 1.4


async def task(number):
    while time.monotonic() < end:
        await asyncio.sleep(0.05 + number / 500)


async def main():
    await asyncio.gather(*(task(number) for number in range(50)))


asyncio.run(main())
