"""Model solutions of lesson 10: a chat server with rooms, and the tests that it must pass."""
# Typed by a learner: without annotations or docstrings.
# mypy: allow-untyped-defs, allow-untyped-calls
# ruff: noqa: D101, D102, D103

import contextlib

from sockkit import ConnectionLost


class Lobby:
    def __init__(self):
        self.here = {}

    def on_connect(self, connection):
        self.here[connection.number] = connection
        connection.send(f"you are {connection.number}")

    def on_message(self, connection, text):
        if text.startswith("/name "):
            connection.name = text.removeprefix("/name ")
        elif text == "/who":
            connection.send("here: " + ", ".join(map(self.label, self.here.values())))
        else:
            self.tell(connection, f"{self.label(connection)}: {text}")

    def on_disconnect(self, connection, reason):
        del self.here[connection.number]
        self.tell(connection, f"* {self.label(connection)} left")

    def label(self, connection):
        return f"{connection.number} {connection.name}".strip()

    def tell(self, sender, text):
        for other in list(self.here.values()):
            if other is not sender:
                with contextlib.suppress(ConnectionLost):
                    other.send(text)


class Chat(Lobby):
    def on_connect(self, connection):
        connection.state.room = "lobby"
        super().on_connect(connection)

    def on_message(self, connection, text):
        command, _, rest = text.partition(" ")
        if command == "/room":
            self.tell(connection, f"* {self.label(connection)} left")
            connection.state.room = rest
            self.tell(connection, f"* {self.label(connection)} came")
        elif command == "/to":
            number, _, message = rest.partition(" ")
            try:
                self.here[int(number)].send(f"{self.label(connection)} to you: {message}")
            except (ValueError, KeyError, ConnectionLost):
                connection.send(f"no client {number}")
        else:
            super().on_message(connection, text)

    def tell(self, sender, text):
        for other in list(self.here.values()):
            if other is not sender and other.state.room == sender.state.room:
                with contextlib.suppress(ConnectionLost):
                    other.send(text)


def heard(client):
    client.send("/who")
    lines = []
    while not (line := client.recv()).startswith("here: "):
        lines.append(line)
    return lines


class Tests:
    def numbers(self, join):
        ada, first, second = join("Ada"), join("Alice"), join("Alice")
        ada.say(f"/to {first.number} for the first")
        assert first.heard() == ["1 Ada to you: for the first"]
        assert second.heard() == []
        first.leave()
        ada.heard()
        third = join("Cleo")
        ada.say(f"/to {first.number} are you there?")
        assert ada.heard() == [f"no client {first.number}"]
        assert third.heard() == []

    def leaving(self, join):
        ada, ben, cleo = join("Ada"), join("Ben"), join("Cleo")
        ada.leave()
        assert ben.heard() == cleo.heard() == ["* 1 Ada left"]
        cleo.crash()
        assert ben.heard() == ["* 3 Cleo left"]

    def rooms(self, join):
        ada, ben, cleo = join("Ada"), join("Ben"), join("Cleo")
        ben.say("/room tea")
        ada.say("hello")
        assert ben.heard() == []
        assert cleo.heard() == ["* 2 Ben left", "1 Ada: hello"]
