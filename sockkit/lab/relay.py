"""The inside of a link: accepts clients, connects each to the server, and runs two pipes for it.

Everything here runs on the event loop of one link, and needs no locks. `link` is the way in.
"""

import asyncio
import itertools
import socket
from collections.abc import Callable
from typing import Any, Literal

from sockkit.events import Address
from sockkit.lab import sockopts
from sockkit.lab.faults import Faults
from sockkit.lab.pipe import Kind, Pipe
from sockkit.limits import Limits
from sockkit.sockets import accept_for_ever

Way = Literal["up", "down"]
Note = Callable[[int, Way, Kind, bytes, bool], None]


class Relay:
    """Accepts connections and relays them, until closed.

    Args:
        target: `(host, port)` of the server.
        host: the address to listen on.
        buffer: bytes held each way, in here and in each kernel buffer.
        faults: what happens to the bytes, each way.
        note: called as `note(connection, way, kind, data, dropped)` for each segment that left.
    """

    def __init__(
        self,
        target: tuple[str, int],
        host: str,
        buffer: int,
        faults: dict[Way, Faults],
        note: Note,
    ) -> None:
        self.buffer = buffer
        self.faults = faults
        self.note = note
        self.cut = False
        self.connections: dict[int, Relayed] = {}
        self._numbers = itertools.count(1)
        self.targets = socket.getaddrinfo(*target, type=socket.SOCK_STREAM)
        self.listener = socket.create_server((host, 0), backlog=1024)
        self.listener.setblocking(False)
        # Accepted sockets inherit it; set on them, it would be too late for the first window.
        self.listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, buffer)

    def start(self) -> None:
        """Begin to accept."""
        accepting = accept_for_ever(self.listener, Limits(), self._admit)
        self._accepting = asyncio.get_running_loop().create_task(accepting)

    def _admit(self, client: socket.socket, address: Address) -> None:
        number = next(self._numbers)
        connection = Relayed(self, number, client)
        self.connections[number] = connection
        connection.task = asyncio.get_running_loop().create_task(connection.run())

    def set_faults(self, faults: dict[Way, Faults]) -> None:
        """Replace the faults of these ways, for all connections."""
        self.faults = {**self.faults, **faults}
        self._update()

    def set_cut(self, cut: bool) -> bool:
        """Cut the cable or mend it; return False where the platform can't."""
        # The listener too: over a cut cable nobody can connect.
        able = sockopts.cut(self.listener) if cut else sockopts.mend(self.listener)
        self.cut = cut and able
        self._update()
        return able

    def _update(self) -> None:
        for connection in self.connections.values():
            connection.update()

    def reset(self) -> None:
        """End every connection with an RST to both sides."""
        for number, connection in self.connections.items():
            self.note(number, "up", Kind.RESET, b"", False)
            self.note(number, "down", Kind.RESET, b"", False)
            connection.end(Kind.RESET)

    def held(self) -> int:
        """Bytes that have come in and not gone out."""
        return sum(p.held for c in self.connections.values() for p in c.pipes.values())

    async def close(self) -> None:
        """Close every connection, and accept no more."""
        self._accepting.cancel()
        await asyncio.wait([self._accepting])
        self.listener.close()
        tasks = [connection.task for connection in self.connections.values()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        for connection in tuple(self.connections.values()):  # cancelled before their first step
            connection.close()


class Relayed:
    """One client, its connection to the server, and the pipes between the two."""

    task: "asyncio.Task[None]"

    def __init__(self, relay: Relay, number: int, client: socket.socket) -> None:
        self._relay = relay
        self._number = number
        self._sockets = [client]
        self.pipes: dict[Way, Pipe] = {}
        self._over: asyncio.Future[Kind] = asyncio.get_running_loop().create_future()

    async def run(self) -> None:
        """Relay until it is over."""
        how = None
        try:
            self._shape(self._sockets[0])
            if self._relay.faults["up"].black_hole:
                self._swallow()
            else:
                await self._connect()
            self.update()
            how = await self._carry()
        except OSError:  # no way to the server
            how = Kind.RESET
        finally:
            self.close(how)

    def close(self, how: Kind | None = None) -> None:
        """Let go of both sockets, perhaps by a reset."""
        del self._relay.connections[self._number]
        for sock in self._sockets:
            if how is Kind.RESET:
                sockopts.reset(sock)
            sock.close()

    async def _connect(self) -> None:
        loop = asyncio.get_running_loop()
        failure = OSError("no address")
        for family, kind, protocol, _, address in self._relay.targets:
            server = socket.socket(family, kind, protocol)
            self._shape(server)
            try:
                await loop.sock_connect(server, address)
            except OSError as error:
                server.close()
                failure = error
            except BaseException:
                server.close()
                raise
            else:
                self._join(server)
                return
        raise failure

    def _shape(self, sock: socket.socket) -> None:
        sock.setblocking(False)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)  # segments as they are cut here
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, self._relay.buffer)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, self._relay.buffer)

    def _join(self, server: socket.socket) -> None:
        client = self._sockets[0]
        self._sockets.append(server)
        up, down = self._pipe("up", client, server), self._pipe("down", server, client)
        up.back, down.back = down, up

    def _swallow(self) -> None:
        # Into a black hole: no word of this client ever reaches the server, not even its arrival.
        client = self._sockets[0]
        self._pipe("up", client, client).lost = True

    def _pipe(self, way: Way, source: socket.socket, target: socket.socket) -> Pipe:
        relay = self._relay

        def note(kind: Kind, data: bytes, dropped: bool) -> None:
            relay.note(self._number, way, kind, data, dropped)

        pipe = Pipe(source, target, relay.faults[way], relay.buffer, note, self.end)
        self.pipes[way] = pipe
        return pipe

    async def _carry(self) -> Kind:
        works: list[Any] = [w for p in self.pipes.values() for w in (p.read(), p.write())]
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(work) for work in works]
            how = await self._over
            for task in tasks:
                task.cancel()
        return how

    def end(self, kind: Kind) -> None:
        """This end was passed on, or is wanted: over once both ways are finished, or by a reset."""
        both = all(pipe.finished for pipe in self.pipes.values())
        if not self._over.done() and (kind is Kind.RESET or both):
            self._over.set_result(kind)

    def update(self) -> None:
        """Take over the faults of the relay."""
        for sock in self._sockets:
            if self._relay.cut:
                sockopts.cut(sock)
            else:
                sockopts.mend(sock)
        for way, pipe in self.pipes.items():
            pipe.faults = self._relay.faults[way]
            pipe.cut = self._relay.cut
            pipe.wake()
