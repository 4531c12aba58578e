"""The kit: a plain or a coroutine function, on asyncio's loop or uvloop's."""

import argparse
import threading

from sockkit import Connection, Server


def shout(connection: Connection, text: str) -> None:
    """Send it back in upper case."""
    connection.send(text.upper())


async def shout_async(connection: Connection, text: str) -> None:
    """The same, as a coroutine function."""
    connection.send(text.upper())


parser = argparse.ArgumentParser()
parser.add_argument("--loop", default="asyncio")
parser.add_argument("--coroutine", action="store_true")
options = parser.parse_args()
with Server(shout_async if options.coroutine else shout, loop=options.loop) as server:
    print(server.address[1], flush=True)
    threading.Event().wait()
