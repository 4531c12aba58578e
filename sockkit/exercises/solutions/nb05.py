"""Model solutions of lesson 05: who left, and how."""
# Typed by a learner: without annotations or docstrings.
# mypy: allow-untyped-defs
# ruff: noqa: D101, D102, D103


def how_it_ended(connection):
    try:
        while connection.recv(1024):
            pass
        return "closed"
    except ConnectionResetError:
        return "reset"
    except TimeoutError:
        return "silent"


def answer_at_the_end(connection):
    total = 0
    with connection:
        while data := connection.recv(1024):
            total += len(data)
        connection.sendall(f"{total} bytes\n".encode())


def echo_and_tell(connection, left):
    reason = "closed"
    try:
        with connection:
            while data := connection.recv(1024):
                connection.sendall(data)
    except ConnectionError:
        reason = "reset"
    left(reason)


class Counts:
    def __init__(self):
        self.messages = {}

    def on_connect(self, connection):
        self.messages[connection.number] = 0

    def on_message(self, connection, text):
        self.messages[connection.number] += 1

    def on_disconnect(self, connection, reason):
        del self.messages[connection.number]
