"""Five chats with one fault each. The docstrings say how such a fault comes into real code."""

import itertools
from collections.abc import Iterator
from typing import ClassVar

from sockkit.connection import Connection
from sockkit.events import Reason
from sockkit.exercises.broken.sound import Sound


class Broken(Sound):
    """A sound chat but for one decision.

    Attributes:
        question: to somebody whose tests take it for sound: what did nobody look at?
    """

    question: ClassVar[str]


class CountsSeats(Broken):
    """A number becomes free with its client, and the next one gets it.

    Looks tidy, and is how the kernel numbers descriptors: the lowest that is free. But whoever
    noted the number of somebody who left now writes to a stranger.
    """

    question = (
        "One leaves, another comes. Somebody still writes to the number of the one who left: "
        "who reads that?"
    )

    def number_for(self, connection: Connection) -> int:
        """The lowest number that is free."""
        return next(number for number in itertools.count(1) if number not in self.here)


class GoesByName(Broken):
    """Finds a client by what it calls itself.

    Comes of a dictionary by name, made while every tester had a name of their own. The second
    Alice takes the first one's entry, and her private messages.
    """

    question = "Two guests have the same name. Did a test write to each of them?"

    def __init__(self) -> None:
        super().__init__()
        self._by_name: dict[str, Connection] = {}

    def rename(self, connection: Connection, name: str) -> None:
        """Enter the name in the book."""
        super().rename(connection, name)
        self._by_name[name] = connection

    def find(self, number: int) -> Connection:
        """Whoever is in the book under that client's name."""
        connection = super().find(number)
        return self._by_name.get(connection.name, connection)

    def on_disconnect(self, connection: Connection, reason: Reason) -> None:
        """Strike the name out as well, if it is still this one's."""
        if self._by_name.get(connection.name) is connection:
            del self._by_name[connection.name]
        super().on_disconnect(connection, reason)


class SweepsWhileTelling(Broken):
    """Throws out who has gone while it tells the others, over the live dictionary.

    "I am going through them anyway": then the dictionary changes its size in the midst of the loop,
    RuntimeError, and whoever comes after the one that has gone is told nothing. With the leaver at
    the end of the list, as in a test with two guests of whom the second leaves, all seems well.
    """

    question = (
        "Somebody leaves who was here before others. Is each of those who stay told of it, in "
        "whatever order they came?"
    )

    def on_disconnect(self, connection: Connection, reason: Reason) -> None:
        """Only tell: the sweeping is done on the way."""
        self.tell(connection, f"* {self.label(connection)} left")

    def present(self) -> Iterator[Connection]:
        """Those who have not gone."""
        return (connection for connection in self.here.values() if connection.reason is None)

    def find(self, number: int) -> Connection:
        """Nobody who has gone."""
        connection = super().find(number)
        if connection.reason is not None:
            raise KeyError(number)
        return connection

    def tell(self, sender: Connection, text: str) -> None:
        """Tell those who are here, and sweep out the others."""
        for number, connection in self.here.items():
            if connection.reason is not None:
                del self.here[number]
            elif connection is not sender and self.hears(connection, sender):
                connection.send(text)


class HearsOnlyResets(Broken):
    """Tells of a leave only when the connection was reset.

    The article's rule, error 10054: right for a program that is killed on Windows. A polite end is
    no error, so code that waits for one never speaks of it.
    """

    question = "In how many ways did somebody leave in your tests, and was each of them told?"

    def on_disconnect(self, connection: Connection, reason: Reason) -> None:
        """Forget everybody, and tell of those whose end was an error."""
        del self.here[connection.state.number]
        if reason is Reason.RESET:
            self.tell(connection, f"* {self.label(connection)} left")


class KeepsOldRooms(Broken):
    """Who goes to another room still hears the one before.

    The same fact in two places, the client's room and the room's clients: entering changes both,
    leaving was written for those who leave the chat, and forgets the second.
    """

    question = "Somebody has gone to another room. What do they hear of the one before?"

    def enter(self, connection: Connection, room: str) -> None:
        """Into one more room."""
        super().enter(connection, room)
        connection.state.listens = {*getattr(connection.state, "listens", ()), room}

    def hears(self, connection: Connection, sender: Connection) -> bool:
        """In any room it was ever in."""
        return sender.state.room in connection.state.listens
