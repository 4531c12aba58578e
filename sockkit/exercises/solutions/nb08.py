"""Model solutions of lesson 08: one slow reader, and all the others."""
# Typed by a learner: without annotations or docstrings.
# mypy: allow-untyped-defs
# ruff: noqa: D103

from sockkit import Limits, Server


def to_all(connections, data):
    for connection in list(connections):
        connection.setblocking(False)
        try:
            taken = connection.send(data)
        except BlockingIOError:
            taken = 0
        if taken < len(data):
            connections.remove(connection)
            connection.close()


def to_who_keeps_up(server, connection, text):
    for number, other in server.clients.items():
        if number != connection.number and other.pending <= 20_000:
            other.send(text)


def strict_server(gone):
    def on_disconnect(connection, reason):
        gone(connection.number, reason)

    return Server(on_disconnect=on_disconnect, limits=Limits(max_pending=50_000))


async def in_step(connection, text, work):
    connection.send(await work(text))
