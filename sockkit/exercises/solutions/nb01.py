"""Model solutions of lesson 01: bare sockets."""
# Typed by a learner: without annotations or docstrings.
# mypy: allow-untyped-defs
# ruff: noqa: D103


def echo(connection):
    while data := connection.recv(1024):
        connection.sendall(data)


def serve_one(listener):
    with listener:
        connection, _ = listener.accept()
        with connection:
            while data := connection.recv(1024):
                connection.sendall(data)


def which_socket():
    """What each call is for."""
    return {
        "accept": "listener",
        "recv": "connection",
        "sendall": "connection",
        "getpeername": "connection",
    }
