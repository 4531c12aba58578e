"""`python -m sockkit serve`: the upper-case echo, which tells who joins, says what, and leaves.

Everything runs in one thread: the server calls the observer on its loop, and the loop is ours.
"""

import asyncio
import contextlib
import os
import re
import socket
import warnings

from sockkit.aio import AsyncServer
from sockkit.attaching import Backplane
from sockkit.cli import workers
from sockkit.cli.files import read_line, server_tls
from sockkit.cli.output import complain, count, new_line_after_control_c, nobody_reads
from sockkit.connection import Connection
from sockkit.errors import ConnectionLost
from sockkit.events import Connected, Disconnected, Event, Received, Started, Stopped
from sockkit.text import plain

# A server listens on these, and not every system connects to them.
_EVERYWHERE = {"0.0.0.0": "127.0.0.1", "::": "::1"}


def run(
    host: str,
    port: int,
    *,
    cert: str | None = None,
    key: str | None = None,
    token_file: str | None = None,
    redis: str | None = None,
    redis_file: str | None = None,
    worker: int = 0,
) -> int:
    """Serve until Ctrl-C, or until nobody reads what it tells; return the exit code.

    Args:
        host: where to listen.
        port: 0 takes any free one.
        cert: the file of a certificate; with one, the server speaks TLS alone.
        key: the file of its private key, if that is another.
        token_file: the file in which the token stands. A token in the command line could be read
            by everybody on the machine, in the list of processes.
        redis: the URL of a Redis through which it acts as one with others.
        redis_file: the file in which that URL stands. It may hold a password, see `token_file`.
        worker: its number, if it is one of several processes at this port; 0 if it is not.

    Raises:
        OSError: the address can't be listened on.
    """

    def reply(connection: Connection, text: str) -> None:
        answer(server, connection, text)

    try:
        context = server_tls(cert, key) if cert else None
        token = read_line(token_file, "a token") if token_file else None
        url = read_line(redis_file, "a URL") if redis_file else redis
        backplane = over_redis(url, port, worker) if url is not None else None
        server = AsyncServer(
            reply,
            host=host,
            port=port,
            ssl=context,
            token=token,
            reuse_port=bool(worker),
            backplane=backplane,
        )
    except (ValueError, ImportError) as error:
        complain(str(error))
        return 1
    asked = [what for what, there in (("TLS", context), ("the token", token)) if there]
    try:
        asyncio.run(_serve(server, " and ".join(asked), is_worker=bool(worker)))
    except KeyboardInterrupt:
        return 0
    return 1


def over_redis(url: str, port: int, worker: int) -> Backplane:
    """What makes this server act as one with others that use the same Redis.

    Raises:
        ValueError: no URL of a Redis.
        ImportError: the package `redis` is not installed.
    """
    from sockkit.backplane import RedisBackplane

    # A name that no other has: one machine, one port, one number.
    machine = re.sub(r"[^A-Za-z0-9_.-]", "-", socket.gethostname())[:40] or "machine"
    which = f"{port}-{worker}" if worker else f"{os.getpid()}"
    return RedisBackplane(url, server=f"{machine}-{which}")


async def _serve(server: AsyncServer, asked: str, is_worker: bool) -> None:
    teller = _Teller(asked)
    server.observe(teller)
    await _start(server)
    ends: list[asyncio.Future[object]] = [asyncio.ensure_future(teller.unheard.wait())]
    if is_worker:
        ends.append(asyncio.ensure_future(workers.parent_gone()))
    try:
        await asyncio.wait(ends, return_when=asyncio.FIRST_COMPLETED)
    except asyncio.CancelledError:  # Ctrl-C
        new_line_after_control_c()
        raise
    finally:
        for end in ends:
            end.cancel()
        await server.stop()


async def _start(server: AsyncServer) -> None:
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        await server.start()
    for warning in caught:  # that others can reach it; without the line of source that said so
        complain(f"careful: {warning.message}")


def answer(server: AsyncServer, connection: Connection, text: str) -> None:
    """Send it back in upper case; but pass on `/all TEXT` to all, and list them for `/who`."""
    word, _, rest = text.rstrip("\r").partition(" ")
    with contextlib.suppress(ConnectionLost):  # who leaves, or reads nothing, hears nothing
        if word == "/all":
            server.broadcast(rest)
        elif word == "/who":
            plane = server.backplane
            connection.send(" ".join(plane.clients if plane else map(str, server.clients)))
        else:
            connection.send(text.upper())


class _Teller:
    """Prints each record of the server as a line, until nobody reads them.

    Attributes:
        asked: what a client needs besides the address, in words; empty if nothing.
        unheard: set once nobody does.
    """

    def __init__(self, asked: str = "") -> None:
        self.asked = asked
        self.unheard = asyncio.Event()
        self._clients = self._messages = 0

    def __call__(self, record: Event) -> None:
        self._clients += isinstance(record, Connected)
        self._messages += isinstance(record, Received)
        try:
            for line in self._lines(record):
                print(line)
        except OSError:  # such as a pipe to a program that has ended
            nobody_reads()
            self.unheard.set()

    def _lines(self, record: Event) -> list[str]:
        match record:
            case Started(address=(host, port)) if self.asked:
                return [
                    f"Listening on {host}:{port}. A client needs {self.asked}.",
                    "(docs/teaching.md says how to connect; Ctrl-C here ends the server)",
                ]
            case Started(address=(host, port)):
                here = _EVERYWHERE.get(host, host)
                return [
                    f"Listening on {host}:{port}. Try it in another terminal: nc {here} {port}",
                    f"(or python -m sockkit connect {here} {port}; Ctrl-C here ends the server)",
                ]
            case Connected(number=number, address=(host, port)):
                return [f"client {number} joins from {host}:{port}"]
            case Received(number=number, message=text):
                return [f"client {number} says: {plain(_without_return(text))}"]
            case Disconnected(number=number, reason=reason):
                return [f"client {number} leaves: {reason}"]
            case Stopped():
                said = count(self._messages, "message")
                return [f"Stopped. {count(self._clients, 'client')} came and sent {said}."]
        return []  # what it answers is not told, and who was refused is in the log


def _without_return(text: str) -> str:
    return text.removesuffix("\r")  # telnet, and Windows, end their lines with \r\n
