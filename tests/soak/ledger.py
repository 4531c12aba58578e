"""A server's own account: callbacks that note who came, what was said, and how each one left."""

import asyncio
from collections.abc import Callable
from typing import Any

from sockkit import Connection, Reason

from .accounts import Seen, Series

FLOOD = "flood " + "x" * 30_000

Wrong = Callable[[str, str], object]


class _Account:
    """One client that is here."""

    def __init__(self) -> None:
        self.name = ""
        self.series = Series()


class Ledger:
    """Callbacks of a server. A message is `name number command`, the numbers 0, 1, 2, …

    Args:
        seen: is told of each client when it is gone.
        wrong: is told of each callback that should not have come.
        kick: is to have a client disconnected from another thread.
    """

    def __init__(
        self, seen: Callable[[Seen], object], wrong: Wrong, kick: Callable[[int], object]
    ) -> None:
        self._seen, self._wrong, self._kick = seen, wrong, kick
        self._here: dict[int, _Account] = {}
        self._last = 0  # number given
        self._broadcasts = 0
        self.raised = 0  # faults of the handler, on request
        self.broadcast: Callable[[str], object]  # the server's

    def connect(self, connection: Connection) -> None:
        """Somebody came."""
        if connection.number <= self._last:
            self._wrong("twice", f"number {connection.number} after {self._last}")
        self._last = connection.number
        self._here[connection.number] = _Account()

    def message(self, connection: Connection, text: str) -> None:
        """Somebody said something; `say` is echoed, the other commands are obeyed."""
        account = self._here.get(connection.number)
        if account is None:
            self._wrong("unexpected", f"client {connection.number} speaks, and is not here")
            return
        name, number, command = text.split(" ", 2)
        if account.name not in ("", name):
            self._wrong("unexpected", f"{name} speaks on the connection of {account.name}")
        account.name = name
        account.series.take(int(number))
        if command == "raise":
            self.raised += 1
            raise ValueError("as asked for")
        self._obey(connection, command.partition(" ")[0], f"{name} {number}")

    def _obey(self, connection: Connection, command: str, answer: str) -> None:
        if command == "close":
            connection.close()
        elif command == "kick":
            self._kick(connection.number)
        elif command == "flood":
            while True:  # until it has had too much: ConnectionLost, which is nobody's mistake
                connection.send(FLOOD)
        else:
            connection.send(answer)
        if command == "all":
            self.broadcast(f"all {self._broadcasts}")
            self._broadcasts += 1

    async def message_later(self, connection: Connection, text: str) -> None:
        """The same as a coroutine, which lets others go first."""
        await asyncio.sleep(0)
        self.message(connection, text)

    def end(self, connection: Connection, reason: Reason) -> None:
        """Somebody left."""
        account = self._here.pop(connection.number, None)
        if account is None:
            self._wrong("twice", f"the end of number {connection.number}")
            return
        for fault, count in (+account.series.faults).items():
            self._wrong(fault, f"{count} messages of {account.name} to the server")
        self._seen(Seen(account.name, reason, account.series.next or 0, connection.sent))

    @property
    def callbacks(self) -> dict[str, Any]:
        """As a server takes them."""
        return {
            "on_message": self.message,
            "on_connect": self.connect,
            "on_disconnect": self.end,
        }
