"""A server that broadcasts at a steady rate: `… figure_server URL NAME RATE EXPIRY`.

Its first line says where it listens. It begins with the first line of its stdin, ends with the
second, and then says how many it has sent: `NAME SERIAL NANOSECONDS`, by the clock of the machine.
"""

import asyncio
import sys
import time

from sockkit import AsyncServer
from sockkit.backplane import RedisBackplane

from ..lab.loopback import HOST


async def main(url: str, name: str, rate: float, expiry: float) -> None:
    loop = asyncio.get_running_loop()
    lines: asyncio.Queue[bytes] = asyncio.Queue()
    loop.add_reader(sys.stdin.fileno(), lambda: lines.put_nowait(sys.stdin.buffer.raw.read(100)))
    plane = RedisBackplane(url, server=name, group="figures", expiry=expiry)
    async with AsyncServer(host=HOST, backplane=plane) as server:
        print(*server.address, flush=True)
        await lines.get()
        begun, sent = loop.time(), 0
        while lines.empty():
            await asyncio.sleep(max(0.0, begun + sent / rate - loop.time()))
            while sent <= (loop.time() - begun) * rate:  # as many as are due, if a turn took long
                sent += 1
                server.broadcast(f"{name} {sent} {time.monotonic_ns()}")
        print(sent, flush=True)
        await lines.get()
        await lines.get()


if __name__ == "__main__":
    url, name, rate, expiry = sys.argv[1:]
    asyncio.run(main(url, name, float(rate), float(expiry)))
