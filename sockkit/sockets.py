"""The listening socket: how it is opened, how connections are accepted, which options they get."""

import asyncio
import contextlib
import errno
import ipaddress
import logging
import os
import socket
import struct
import sys
from asyncio.trsock import TransportSocket
from collections.abc import Callable, Iterator
from typing import Any, NoReturn

from sockkit.events import Address
from sockkit.interrupts import Interruptible
from sockkit.limits import Limits

log = logging.getLogger("sockkit")

BACKLOG = 4096  # connections the kernel may complete before we accept; Linux caps it at somaxconn
RETRY = 0.5  # seconds until the next try when the system is out of something
ACCEPTS_PER_TURN = 100  # a rush of newcomers must not starve those who are connected

_OUT_OF_RESOURCES = {errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM}
_KEEPALIVE_PROBES = 3
_LONGEST_KEEPALIVE = 32_767  # seconds: MAX_TCP_KEEPIDLE of Linux
_MAX_INT = 2**31 - 1
_MOST_READS = 256  # of 64 KiB: more than a kernel buffers, for a sender that never pauses


async def listen(host: str, port: int, reuse_port: bool = False) -> socket.socket:
    """A listening socket, non-blocking; port 0 lets the system choose one.

    Raises:
        OSError: no such host, a port in use, not permitted. The text says which address.
        ValueError: no port has this number, or this system has no SO_REUSEPORT.
        TypeError: the port is no number.
    """
    if not isinstance(port, int):
        raise TypeError(f"a port is a number; this is {port!r}")
    check_port(port)
    try:
        family, address = await _resolved(host, port)
        listener = socket.create_server(
            address, family=family, backlog=BACKLOG, reuse_port=reuse_port
        )
    except (OSError, UnicodeError) as error:
        raise_clearly(error, f"cannot listen on {host}:{port}")
    listener.setblocking(False)
    return listener


def check_port(port: int) -> None:
    """Refuse a number that getaddrinfo would take modulo 65,536.

    Raises:
        ValueError: no port has this number.
    """
    if not 0 <= port <= 65_535:
        raise ValueError(f"a port is a number from 0 to 65535, not {port}")


def bound_to(listener: socket.socket) -> Address:
    """Where a client finds this listener: a host, with the zone of a link-local one, and a port."""
    numeric = socket.NI_NUMERICHOST | socket.NI_NUMERICSERV
    host, port = socket.getnameinfo(listener.getsockname(), numeric)
    return host, int(port)


async def _resolved(host: str, port: int) -> tuple[int, tuple[Any, ...]]:
    # A numeric address needs no name service, and so none of the helper threads of the loop, which
    # would stay after the server: for as long as the loop, in a notebook until the kernel ends.
    kind, numeric = socket.SOCK_STREAM, socket.AI_NUMERICHOST
    try:
        found = socket.getaddrinfo(host, port, type=kind, flags=numeric)
    except socket.gaierror:
        found = await asyncio.get_running_loop().getaddrinfo(host, port, type=kind)
    family, _, _, _, address = found[0]
    return family, address  # on IPv6 it may hold the number of an interface, too


async def accept_for_ever(
    listener: socket.socket, limits: Limits, admit: Callable[[socket.socket, Address], object]
) -> None:
    """Accept connections and pass them to `admit`, until cancelled.

    Without descriptors left, the connected are served on and accepting is tried again. asyncio's
    own server logs that once for every place in its backlog; here it is once an episode.
    """
    acceptor = Acceptor(listener, limits, admit)
    with Interruptible():  # the cell that runs a server ends when it is told to
        try:
            acceptor.watch()
        except NotImplementedError:  # the usual loop of Windows watches no sockets for others
            await acceptor.one_by_one()
        try:
            await asyncio.get_running_loop().create_future()
        finally:
            acceptor.close()


class Acceptor:
    """Accepts all who wait whenever the loop says that somebody does.

    `loop.sock_accept` would have the kernel watch the listener, and stop watching it, for each
    newcomer; and one who comes as the wait is cancelled would be dropped, and never closed.

    Args:
        listener: non-blocking. Closing it is up to the caller.
        limits: for each connection.
        admit: gets each connection, and the address that it came from.
    """

    def __init__(
        self,
        listener: socket.socket,
        limits: Limits,
        admit: Callable[[socket.socket, Address], object],
    ) -> None:
        self._loop = asyncio.get_running_loop()
        self._listener = listener
        self._limits = limits
        self._admit = admit
        self._suffering = False
        self._retry: asyncio.TimerHandle | None = None

    def watch(self) -> None:
        """Accept whenever somebody waits, from now on.

        Raises:
            NotImplementedError: this loop can't tell.
        """
        self._loop.add_reader(self._listener.fileno(), self.accept_all)

    def close(self) -> None:
        """Accept nobody any more."""
        self._loop.remove_reader(self._listener.fileno())
        if self._retry is not None:
            self._retry.cancel()

    def accept_all(self) -> None:
        """Accept those who wait. The loop calls it whenever somebody does."""
        for _ in range(ACCEPTS_PER_TURN):
            try:
                newcomer = self._listener.accept()
            except (BlockingIOError, InterruptedError):
                return
            except OSError as error:
                if self._is_short_of_something(error):
                    self._loop.remove_reader(self._listener.fileno())
                    self._retry = self._loop.call_later(RETRY, self.watch)
                    return
            else:
                self._welcome(*newcomer)

    async def one_by_one(self) -> NoReturn:
        """Accept for ever on a loop that can't tell who waits."""
        while True:
            try:
                newcomer = await self._loop.sock_accept(self._listener)
            except OSError as error:
                if self._is_short_of_something(error):
                    await asyncio.sleep(RETRY)
            else:
                self._welcome(Lenient(fileno=newcomer[0].detach()), newcomer[1])

    def _is_short_of_something(self, error: OSError) -> bool:
        if error.errno not in _OUT_OF_RESOURCES:
            return False  # that newcomer left while it stood in the queue
        if not self._suffering:
            log.error("cannot accept: %s; trying again every %g s", error.strerror, RETRY)
        self._suffering = True
        return True

    def _welcome(self, connection: socket.socket, address: Address) -> None:
        if self._suffering:
            log.warning("accepting again")
            self._suffering = False
        connection.setblocking(False)
        try:
            tune(connection, self._limits)
        except OSError:  # macOS, of one that was reset while it stood in the queue
            connection.close()
        else:
            self._admit(connection, address[:2])


def tune(connection: socket.socket, limits: Limits) -> None:
    """Set the kernel's own time limits, where the platform has them.

    `keepalive` notices a peer that is silent because it is gone, `user_timeout` one that does not
    acknowledge what was sent. Each is blind where the other sees: a cut cable needs both. On Linux
    `user_timeout` also ends a peer that is there and reads nothing, so that nothing can be sent.
    """
    if limits.keepalive is not None:
        seconds = _whole(limits.keepalive, _LONGEST_KEEPALIVE)
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        # macOS calls the first one TCP_KEEPALIVE.
        _set_if_there(connection, ("TCP_KEEPIDLE", "TCP_KEEPALIVE"), seconds)
        _set_if_there(connection, ("TCP_KEEPINTVL",), seconds)
        _set_if_there(connection, ("TCP_KEEPCNT",), _KEEPALIVE_PROBES)
    if limits.user_timeout is not None:
        _set_if_there(
            connection, ("TCP_USER_TIMEOUT",), _whole(limits.user_timeout * 1000, _MAX_INT)
        )


def _whole(value: float, largest: int) -> int:
    # What the kernel refuses would end the accepting, and 0 would mean: its own default.
    return round(max(1, min(value, largest)))


def _set_if_there(connection: socket.socket, names: tuple[str, ...], value: int) -> None:
    for name in names:
        option = getattr(socket, name, None)
        if option is not None:
            connection.setsockopt(socket.IPPROTO_TCP, option, value)
            return


def let_go(handle: int) -> None:
    """Give up this process's share in a socket that was inherited by a fork.

    A connection ends when the last process has closed it. The number stays taken, by nothing, so
    that the objects which still hold it can't close a stranger's file later.
    """
    with open(os.devnull, "rb") as nothing:
        os.dup2(nothing.fileno(), handle)


def unread(connection: TransportSocket, say_fin: bool) -> Iterator[bytes]:
    """What has come and was not read yet, without waiting for more; perhaps after sending FIN."""
    with (
        contextlib.suppress(OSError),  # all of it was read; or there is no descriptor left
        socket.fromfd(connection.fileno(), connection.family, connection.type) as copy,
    ):
        copy.setblocking(False)
        if say_fin:
            copy.shutdown(socket.SHUT_WR)
        for _ in range(_MOST_READS):
            if data := copy.recv(65_536):
                yield data
            else:
                break


def reset_on_close(connection: TransportSocket) -> None:
    """Have the close of this socket drop what the kernel still holds, and tell the peer (RST)."""
    layout = "hh" if sys.platform == "win32" else "ii"
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack(layout, 1, 0))


class Lenient(socket.socket):
    """A socket that may be shut down when its peer has gone already, as on Windows it has to be.

    asyncio's loop there shuts a socket down and then closes it. Where the peer has reset, the first
    step raises: an error in the log for each reset, and a socket that stays open
    (python/cpython#83037).
    """

    def shutdown(self, how: int) -> None:
        """Say FIN (`SHUT_WR`, `SHUT_RDWR`), if anybody is there to hear it."""
        with contextlib.suppress(OSError):
            super().shutdown(how)


def close_for_proactor(transport: asyncio.BaseTransport) -> None:
    """What a `Lenient` socket does, for one that asyncio made itself: close it before asyncio does.

    A socket that is closed asyncio leaves alone. No public name leads to it, and over TLS none at
    all: asyncio's layer between tells of the end when it is too late.
    """
    connection = getattr(transport, "_sock", None)
    if isinstance(connection, socket.socket):
        with contextlib.suppress(OSError):
            connection.shutdown(socket.SHUT_RDWR)
        connection.close()


def is_loopback(host: str) -> bool:
    """Whether only this machine can reach a server on this numeric address."""
    return ipaddress.ip_address(host.partition("%")[0]).is_loopback


def raise_clearly(error: OSError | UnicodeError, what: str) -> NoReturn:
    """Raise the same kind of OSError with a text that says what was tried, and what may help."""
    if isinstance(error, UnicodeError):  # names go through IDNA, which takes no dot too many
        told = f"{what}: that can't be the name of a host"
        raise socket.gaierror(socket.EAI_NONAME, told) from None
    # Where a handshake meets the end, asyncio says nothing.
    why = error.strerror or str(error) or "it left before TLS was agreed on: perhaps it speaks none"
    # What socket.create_server adds names the address once more.
    text = f"{what}: {why}".partition(" (while attempting")[0]
    if error.errno == errno.EADDRINUSE:
        text += ". Another server has this port, perhaps one of yours; port 0 is always free"
    if isinstance(error, socket.gaierror):
        text += ". Is the host typed right? 127.0.0.1 is this machine"
    if error.errno == errno.ECONNREFUSED:
        text += ". Nobody listens there: is the server started, and is this its port?"
    # Several failures in one, such as those of "localhost" on IPv4 and IPv6, have no number.
    details = (text,) if error.errno is None else (error.errno, text)
    clear = type(error)(*details)
    vars(clear).update(vars(error))  # an ssl.SSLError says more: its reason, its verify_message
    raise clear from error
