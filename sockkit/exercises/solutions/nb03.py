"""Model solutions of lesson 03: any number of clients."""
# Typed by a learner: without annotations or docstrings.
# mypy: allow-untyped-defs
# ruff: noqa: D101, D102, D103

import asyncio
import contextlib
import errno
import itertools
import socket
import threading
import time


async def serve_many(ready):
    async def talk(reader, writer):
        try:
            async for line in reader:
                writer.write(line.upper())
                await writer.drain()
        except ConnectionError:
            pass
        finally:
            writer.close()

    server = await asyncio.start_server(talk, "127.0.0.1", 0)
    ready(server.sockets[0].getsockname())
    await server.serve_forever()


def keep_accepting(listener, admit):
    while True:
        try:
            connection, _ = listener.accept()
        except OSError as error:
            if error.errno not in (errno.EMFILE, errno.ENFILE):
                raise
            time.sleep(0.1)
        else:
            admit(connection)


def serve_bounded(ready, most):
    room = threading.Semaphore(most)

    def talk(connection):
        try:
            with connection:
                for line in connection.makefile("rb"):
                    connection.sendall(line.upper())
        except ConnectionError:
            pass
        finally:
            room.release()

    with socket.create_server(("127.0.0.1", 0)) as listener:
        ready(listener.getsockname())
        while True:
            connection, _ = listener.accept()
            if room.acquire(blocking=False):
                threading.Thread(target=talk, args=(connection,), daemon=True).start()
            else:
                with connection, contextlib.suppress(ConnectionError):
                    connection.sendall(b"full\n")


class Roster:
    def __init__(self):
        self.numbers = itertools.count(1)
        self.clients = {}

    def join(self, connection):
        number = next(self.numbers)
        self.clients[number] = connection
        return number

    def leave(self, number):
        del self.clients[number]
