"""A network in memory: the kernel's part played by a few lines, for thousands of inputs a second.

asyncio's own selector loop and transports run on it unchanged, and so does the kit's whole server,
from the accepting to the last callback. Only three things are stood in for: the sockets, what says
which of them are ready (selector and epoll), and the clock, which jumps to whatever comes next.
That a peer on a real socket sees the same is what `test_over_real_sockets` is for.
"""

import asyncio
import errno
import itertools
import selectors
import socket
from collections import deque
from collections.abc import Mapping
from typing import Any, Self

READ, WRITE = selectors.EVENT_READ, selectors.EVENT_WRITE
UNLIMITED = 1 << 30
ADDRESS = ("127.0.0.1", 9)
# Of a loop, for one input: what takes more goes round in circles. 256 bytes can say 108,000 empty
# lines, and a handler that waits takes three turns for each.
MOST_TURNS = 400_000


class Network:
    """All sockets there are, by their handle. No real descriptor has such a number."""

    EPOLLIN = POLLIN = READ

    def __init__(self) -> None:
        self._handles = itertools.count(1_000_000)
        self.sockets: dict[int, Any] = {}

    def handle(self, of: Any) -> int:
        """A new one."""
        number = next(self._handles)
        self.sockets[number] = of
        return number

    def create_server(self, address: Any, **options: Any) -> "Listener":
        """In place of `socket.create_server`."""
        return Listener(self)

    def epoll(self) -> "Epoll":
        """In place of `select.epoll`."""
        return Epoll(self)

    def poll(self) -> "Poll":
        """In place of `select.poll`."""
        return Poll(self)

    def fromfd(self, handle: int, *kind: int) -> "Socket":
        """In place of `socket.fromfd`: another handle for the same connection."""
        if handle not in self.sockets:
            raise OSError(errno.EBADF, "bad file descriptor")
        return Socket(self, self.sockets[handle].end)

    def __getattr__(self, name: str) -> Any:
        return getattr(socket, name)  # all else is as in the module


class Handle:
    """What every socket has."""

    family, type, proto = socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP

    def __init__(self, network: Network) -> None:
        self.network = network
        self._number = network.handle(self)

    def fileno(self) -> int:
        return self._number

    def close(self) -> None:
        if self.network.sockets.pop(self._number, None) is not None:
            self._number = -1
            self.closed()

    def closed(self) -> None: ...

    def setblocking(self, blocking: bool) -> None:
        assert not blocking

    def gettimeout(self) -> float:
        return 0.0

    def getsockname(self) -> tuple[str, int]:
        return ADDRESS

    def getpeername(self) -> tuple[str, int]:
        return ADDRESS

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.close()


class Listener(Handle):
    """A listening socket."""

    def __init__(self, network: Network) -> None:
        super().__init__(network)
        self._backlog: deque[End] = deque()

    def dial(self) -> "End":
        """A new connection, which stands in the queue."""
        end = End()
        self._backlog.append(end)
        return end

    def ready(self) -> int:
        return READ if self._backlog else 0

    def accept(self) -> tuple["Socket", tuple[str, int]]:
        if not self._backlog:
            raise BlockingIOError
        return Socket(self.network, self._backlog.popleft()), ADDRESS


class End:
    """One connection: what lies in the kernel between the server and a peer.

    The peer, which is the test, calls `say`, `finish`, `reset`, `vanish`, and looks at `told`.

    Attributes:
        told: bytes that the peer has got.
        window: how many more it will take.
        ended: how the server's side ended it: "fin", "reset", or "" while it has not.
        taken: bytes that the server has read.
    """

    def __init__(self) -> None:
        self.waiting = bytearray()
        self.told = bytearray()
        self.window = UNLIMITED
        self.ended = ""
        self.taken = 0
        self.handles = 0
        self.finished = False
        self.reset_on_close = False
        self._error: OSError | None = None
        self._broken = self._vanished = False

    def say(self, data: bytes) -> None:
        """The peer sends."""
        if not self.finished and not self._broken:
            self.waiting += data

    def finish(self) -> None:
        """The peer sends FIN, and reads on."""
        self.finished = True

    def vanish(self) -> None:
        """The peer closes: FIN, and a reset for whatever is sent to it after that."""
        self.finished = self._vanished = True

    def reset(self) -> None:
        """The peer sends RST. What it sent before can still be read, as on Linux."""
        if not self._broken:
            self._broken = True
            after_fin = BrokenPipeError(errno.EPIPE, "broken pipe")
            plain = ConnectionResetError(errno.ECONNRESET, "connection reset by peer")
            self._error = after_fin if self.finished else plain

    # The server's side.

    def ready(self) -> int:
        read = bool(self.waiting) or self.finished or self._broken
        write = self.window > 0 or self._broken
        return read * READ | write * WRITE

    def receive(self, size: int) -> bytes:
        data = bytes(self.waiting[:size])
        if not data:
            self._raise_error()
            if not self.finished and not self._broken:
                raise BlockingIOError
        del self.waiting[: len(data)]
        self.taken += len(data)
        return data

    def send(self, data: bytes) -> int:
        self._raise_error()
        if self._broken or self.ended:
            raise BrokenPipeError(errno.EPIPE, "broken pipe")
        if self._vanished:
            self.reset()  # it arrives after this
            return len(data)
        if self.window <= 0:
            raise BlockingIOError
        piece = data[: self.window]
        self.window -= len(piece)
        self.told += piece
        return len(piece)

    def close(self) -> None:
        # Unread bytes make a kernel send RST in place of FIN.
        if self.reset_on_close or self.waiting:
            self.ended = "reset"
        self.ended = self.ended or "fin"

    def _raise_error(self) -> None:
        if error := self._error:
            self._error = None  # told once, as SO_ERROR is
            raise error


class Socket(Handle):
    """A handle for a connection; the connection ends when the last one is closed."""

    def __init__(self, network: Network, end: End) -> None:
        super().__init__(network)
        self.end = end
        end.handles += 1

    def ready(self) -> int:
        return self.end.ready()

    def recv(self, size: int) -> bytes:
        return self.end.receive(size)

    def recv_into(self, buffer: memoryview) -> int:
        data = self.end.receive(len(buffer))
        buffer[: len(data)] = data
        return len(data)

    def send(self, data: bytes) -> int:
        return self.end.send(bytes(data))

    def sendmsg(self, pieces: Any) -> int:
        return self.end.send(b"".join(pieces))

    def shutdown(self, how: int) -> None:
        self.end.ended = self.end.ended or "fin"

    def setsockopt(self, level: int, option: int, value: Any) -> None:
        if option == socket.SO_LINGER:
            self.end.reset_on_close = True

    def closed(self) -> None:
        self.end.handles -= 1
        if not self.end.handles:
            self.end.close()


class Epoll(Handle):
    """In place of `select.epoll`: can be waited for, as the one in the kernel can."""

    def __init__(self, network: Network) -> None:
        super().__init__(network)
        self._watched: dict[int, int] = {}

    def register(self, fd: int, events: int) -> None:
        if fd in self._watched:
            raise FileExistsError(errno.EEXIST, "file exists")
        self._is_open(fd)
        self._watched[fd] = events

    def unregister(self, fd: int) -> None:
        self._is_open(fd)
        if self._watched.pop(fd, None) is None:
            raise FileNotFoundError(errno.ENOENT, "no such file or directory")

    def poll(self, timeout: float, at_once: int) -> list[tuple[int, int]]:
        assert timeout == 0, "the loop would stand still"
        sockets = self.network.sockets
        for fd in self._watched.keys() - sockets.keys():  # closed, and so forgotten
            del self._watched[fd]
        return [(fd, READ) for fd in self._watched if sockets[fd].ready() & READ][:at_once]

    def ready(self) -> int:
        return READ if self.poll(0, 1) else 0

    def closed(self) -> None:
        self._watched.clear()

    def _is_open(self, fd: int) -> None:
        if fd not in self.network.sockets:
            raise OSError(errno.EBADF, "bad file descriptor")


class Poll:
    """In place of `select.poll`: no descriptor itself."""

    def __init__(self, network: Network) -> None:
        self._network = network
        self._watched: dict[int, int] = {}

    def register(self, fd: int, events: int) -> None:
        self._watched[fd] = events

    def poll(self, timeout: float) -> list[tuple[int, int]]:
        assert timeout == 0, "the loop would stand still"
        sockets = self._network.sockets
        return [(fd, READ) for fd in self._watched if sockets[fd].ready() & READ]


class Selector(selectors.BaseSelector):
    """Which sockets are ready. Where none is, the clock jumps: nobody ever waits.

    Attributes:
        now: the time, in seconds.
        turns: of the loop, since whoever counts them set it to 0.
    """

    now = 0.0

    def __init__(self, network: Network) -> None:
        self._network = network
        self._keys: dict[int, selectors.SelectorKey] = {}
        self.turns = 0

    def register(self, fileobj: Any, events: int, data: Any = None) -> selectors.SelectorKey:
        handle = fileobj if isinstance(fileobj, int) else fileobj.fileno()
        key = selectors.SelectorKey(fileobj, handle, events, data)
        self._keys[handle] = key
        return key

    def unregister(self, fileobj: Any) -> selectors.SelectorKey:
        return self._keys.pop(fileobj if isinstance(fileobj, int) else fileobj.fileno())

    def get_map(self) -> Mapping[Any, selectors.SelectorKey]:
        return self._keys

    def get_key(self, fileobj: Any) -> selectors.SelectorKey:
        return self._keys[fileobj if isinstance(fileobj, int) else fileobj.fileno()]

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        self.turns += 1
        assert self.turns < MOST_TURNS, "the loop goes round in circles"
        sockets = self._network.sockets
        ready = [
            (key, events)
            for handle, key in self._keys.items()
            if handle in sockets and (events := key.events & sockets[handle].ready())
        ]
        if not ready and timeout != 0:
            assert timeout is not None, "everybody waits, and nothing will ever come"
            self.now += max(timeout, 0)
        return ready

    def close(self) -> None:
        self._keys.clear()


class Loop(asyncio.SelectorEventLoop):
    """asyncio's selector loop on such a network."""

    def __init__(self, network: Network) -> None:
        self.selector = Selector(network)
        super().__init__(self.selector)
        # What is due within this is due now. After millions of seconds, which is one long run, the
        # usual nanosecond is less than a float can tell, and a clock that jumps comes no further.
        self._clock_resolution = 1e-6

    def time(self) -> float:
        return self.selector.now
