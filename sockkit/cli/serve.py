"""`python -m sockkit serve`: the upper-case echo, which tells who joins, says what, and leaves.

Everything runs in one thread: the server calls the observer on its loop, and the loop is ours.
"""

import asyncio
import contextlib
import warnings

from sockkit.aio import AsyncServer
from sockkit.cli.output import complain, count, new_line_after_control_c, nobody_reads
from sockkit.connection import Connection
from sockkit.errors import ConnectionLost
from sockkit.events import Connected, Disconnected, Event, Received, Started, Stopped
from sockkit.text import plain


def run(host: str, port: int) -> int:
    """Serve until Ctrl-C, or until nobody reads what it tells; return the exit code.

    Raises:
        OSError: the address can't be listened on.
    """
    try:
        asyncio.run(_serve(host, port))
    except KeyboardInterrupt:
        return 0
    return 1


async def _serve(host: str, port: int) -> None:
    teller = _Teller()
    server = AsyncServer(answer, host=host, port=port)
    server.observe(teller)
    await _start(server)
    try:
        await teller.unheard.wait()
    except asyncio.CancelledError:  # Ctrl-C
        new_line_after_control_c()
        raise
    finally:
        await server.stop()


async def _start(server: AsyncServer) -> None:
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        await server.start()
    for warning in caught:  # that others can reach it; without the line of source that said so
        complain(f"careful: {warning.message}")


def answer(connection: Connection, text: str) -> None:
    """Send it back in upper case, as the server of the article did."""
    with contextlib.suppress(ConnectionLost):  # who leaves, or reads nothing, hears nothing
        connection.send(text.upper())


class _Teller:
    """Prints each record of the server as a line, until nobody reads them.

    Attributes:
        unheard: set once nobody does.
    """

    def __init__(self) -> None:
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
            case Started(address=(host, port)):
                return [
                    f"Listening on {host}:{port}. Try it in another terminal: nc {host} {port}",
                    f"(or python -m sockkit connect {host} {port}; Ctrl-C here ends the server)",
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
