"""A soak of a server with planted faults, to see that each is told: python -m tests.soak.planted.

The faults stand between the server and the ledger, where those of a worse server would show.
"""

import asyncio
import os
import sys
from collections.abc import Callable
from typing import Any

from sockkit import Connection, Reason, Server

from .run import Plan, soak


class Planted:
    """Makes a server whose callbacks are not what they should be."""

    def __init__(self) -> None:
        self._hoard: list[Connection] = []
        self._descriptors: list[int] = []
        self._forgotten: int | None = None  # the number of the one whose end is not told

    def __call__(
        self,
        *,
        on_connect: Callable[..., object],
        on_message: Callable[..., object],
        on_disconnect: Callable[..., object],
        **options: Any,
    ) -> Server:
        """The server."""

        def connect(connection: Connection) -> None:
            if connection.number % 10 == 0:
                self._hoard.append(connection)
            if connection.number % 20 == 0:
                self._descriptors.append(os.dup(1))
            on_connect(connection)

        def message(connection: Connection, text: str) -> None:
            if text.startswith("close_one_half") and " 7 " in text:
                return  # lost
            if text.startswith("rush") and self._forgotten is None:
                self._forgotten = connection.number
            if text.startswith("leave_politely") and " 1 " in text:
                on_message(connection, text)  # and once more
            on_message(connection, text)

        def end(connection: Connection, reason: Reason) -> None:
            if connection.number == self._forgotten:
                return  # never told
            on_disconnect(connection, Reason.CLOSED if reason is Reason.RESET else reason)
            if connection.number % 15 == 0:
                on_disconnect(connection, reason)

        return Server(message, on_connect=connect, on_disconnect=end, **options)

    def close(self) -> None:
        """Give back what leaked."""
        for descriptor in self._descriptors:
            os.close(descriptor)


def main() -> int:
    """As `python -m tests.soak`, but short."""
    planted = Planted()
    plan = Plan(minutes=0, clients=3, length=0.5, idle=2, patience=5, make=planted)
    try:
        verdict = asyncio.run(soak(plan))
    finally:
        planted.close()
    return 0 if verdict.fulfilled else 1


if __name__ == "__main__":
    sys.exit(main())
