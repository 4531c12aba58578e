"""A chat server without a known fault, by which the broken ones, and tests, are measured.

What the capstone asks for, and nothing else. Each method is one decision that a broken server makes
differently.
"""

import contextlib
from collections.abc import Iterator

from sockkit.connection import Connection
from sockkit.errors import ConnectionLost
from sockkit.events import Reason


class Sound:
    """The callbacks of a chat with rooms, for one server.

    Attributes:
        here: who is connected, by number.
    """

    def __init__(self) -> None:
        self.here: dict[int, Connection] = {}

    # The callbacks.

    def on_connect(self, connection: Connection) -> None:
        """Give a number, and say it."""
        number = self.number_for(connection)
        connection.state.number = number
        self.enter(connection, "lobby")
        self.here[number] = connection
        connection.send(f"you are {number}")

    def on_message(self, connection: Connection, text: str) -> None:
        """A command, or something said in the room."""
        command, _, rest = text.partition(" ")
        if command == "/name":
            self.rename(connection, rest)
        elif command == "/who":
            connection.send("here: " + ", ".join(self.label(c) for c in self.present()))
        elif command == "/room":
            self.tell(connection, f"* {self.label(connection)} left")
            self.enter(connection, rest)
            self.tell(connection, f"* {self.label(connection)} came")
        elif command == "/to":
            number, _, message = rest.partition(" ")
            self.to_one(connection, number, message)
        else:
            self.tell(connection, f"{self.label(connection)}: {text}")

    def on_disconnect(self, connection: Connection, reason: Reason) -> None:
        """Whoever goes, and however they go: forget them, and say so."""
        del self.here[connection.state.number]
        self.tell(connection, f"* {self.label(connection)} left")

    # The decisions.

    def number_for(self, connection: Connection) -> int:
        """The server's own number: it is never used again."""
        return connection.number

    def rename(self, connection: Connection, name: str) -> None:
        """A name is a label."""
        connection.name = name

    def enter(self, connection: Connection, room: str) -> None:
        """In one room at a time."""
        connection.state.room = room

    def hears(self, connection: Connection, sender: Connection) -> bool:
        """Whether this one hears what the sender says in the room."""
        return bool(connection.state.room == sender.state.room)

    def present(self) -> Iterator[Connection]:
        """Everybody who is here."""
        return iter(self.here.values())

    def find(self, number: int) -> Connection:
        """Who has this number.

        Raises:
            KeyError: nobody.
        """
        return self.here[number]

    def tell(self, sender: Connection, text: str) -> None:
        """To all others in the sender's room. One who goes just now is no reason to stop."""
        for connection in tuple(self.here.values()):
            if connection is not sender and self.hears(connection, sender):
                with contextlib.suppress(ConnectionLost):
                    connection.send(text)

    def to_one(self, sender: Connection, number: str, text: str) -> None:
        """To one client, or back to the sender if there is none."""
        try:
            self.find(int(number)).send(f"{self.label(sender)} to you: {text}")
        except (ValueError, KeyError, ConnectionLost):
            sender.send(f"no client {number}")

    def label(self, connection: Connection) -> str:
        """Number and name."""
        return f"{connection.state.number} {connection.name}".strip()
