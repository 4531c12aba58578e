"""Model solutions of lesson 09: stop, start again, and trust nobody."""
# Typed by a learner: without annotations or docstrings.
# mypy: allow-untyped-defs
# ruff: noqa: D103

import contextlib
import hmac
import html
import os
import socket
import ssl

from sockkit.text import plain


def stop(server):
    for sock in (server.listener, *server.connections):
        with contextlib.suppress(OSError):  # a client that has gone has nothing to shut down
            sock.shutdown(socket.SHUT_RDWR)
        sock.close()
    for thread in server.threads:
        thread.join()


def listen(address):
    listener = socket.socket()
    if os.name == "posix":
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind(address)
    listener.listen()
    return listener


def trusting(cafile):
    return ssl.create_default_context(cafile=cafile)


def admit(connection, token):
    line = b""
    with contextlib.suppress(OSError):  # who says nothing in time is nobody
        while not line.endswith(b"\n") and len(line) <= 1024:
            data = connection.recv(1024)
            if not data:
                break
            line += data
    if hmac.compare_digest(line, token.encode() + b"\n"):
        connection.sendall(b"welcome\n")
        return True
    with connection, contextlib.suppress(OSError):
        connection.sendall(b"refused\n")
    return False


def show(name):
    safe = html.escape(plain(name))
    return f'<li title="{safe}">{safe}</li>'
