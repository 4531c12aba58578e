"""A backplane for servers within one process, which may live on different loops and threads.

It needs nothing installed, and serves tests and lessons: unplug its hub, and see what still works.
"""

import asyncio
import contextlib
import threading
import time
from collections.abc import Sequence

from sockkit.backplane.member import Member
from sockkit.backplane.wire import Post
from sockkit.errors import ClosedError
from sockkit.handover import Handover


class MemoryHub:
    """What servers of one process are plugged into, as others are into a Redis. Any thread.

    Example:
        hub = MemoryHub()
        a = Server(backplane=MemoryBackplane(hub, server="a"))
        b = Server(backplane=MemoryBackplane(hub, server="b"))
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._plugged = True
        self._wires: list[MemoryWire] = []
        self._kept: dict[tuple[str, str], tuple[bytes, float]] = {}  # by group and server

    @property
    def plugged(self) -> bool:
        """Whether the servers can reach each other."""
        return self._plugged

    def unplug(self) -> None:
        """Be as a Redis that has gone: every server is alone, and the lists are lost."""
        with self._lock:
            self._plugged = False
            wires, self._wires = self._wires, []
            self._kept.clear()
        for wire in wires:
            wire.lose()

    def plug(self) -> None:
        """Be back. The servers notice at their next try."""
        self._plugged = True

    def add(self, wire: "MemoryWire") -> None:
        """For a new wire: hear of everything from now on.

        Raises:
            ConnectionError: the hub is unplugged.
        """
        with self._lock:
            if not self._plugged:
                raise ConnectionRefusedError("the hub is unplugged")
            self._wires.append(wire)

    def remove(self, wire: "MemoryWire") -> None:
        """For a wire: hear of nothing more."""
        with self._lock:
            if wire in self._wires:
                self._wires.remove(wire)

    def kept(self, group: str) -> list[bytes]:
        """The lists of clients that have not expired."""
        with self._lock:
            found, now = self._kept.items(), time.monotonic()
            return [packed for (of, _), (packed, until) in found if of == group and until > now]

    def publish(self, wire: "MemoryWire", posts: Sequence[Post]) -> None:
        """For a wire: pass these on, and keep the lists of clients.

        Raises:
            ConnectionError: the hub was unplugged meanwhile.
        """
        with self._lock:
            if wire not in self._wires:
                raise ConnectionResetError("the hub was unplugged")
            for post in posts:
                if post.kind == "here":
                    until = time.monotonic() + wire.expiry
                    self._kept[wire.group, wire.server] = post.packed, until
                elif post.kind == "gone":
                    self._kept.pop((wire.group, wire.server), None)
                for other in self._wires:
                    if other.group == wire.group and post.to in ("", other.server):
                        other.hear(post.packed)


class MemoryWire:
    """One server's connection to a hub, on the running loop."""

    def __init__(self, hub: MemoryHub, member: Member) -> None:
        self.group, self.server, self.expiry = member.group, member.server, member.expiry
        self._hub = hub
        self._handover = Handover(asyncio.get_running_loop())
        self._frames: asyncio.Queue[bytes | None] = asyncio.Queue()
        hub.add(self)

    def hear(self, packed: bytes | None) -> None:
        """Take a frame, or None for the end. Any thread."""
        with contextlib.suppress(ClosedError):  # its loop ended without a word
            self._handover.submit(self._frames.put_nowait, packed)

    def lose(self) -> None:
        """The hub is gone. Any thread."""
        self.hear(None)

    async def present(self) -> list[bytes]:
        """See `Wire`."""
        return self._hub.kept(self.group)

    async def send(self, posts: Sequence[Post]) -> None:
        """See `Wire`."""
        self._hub.publish(self, posts)

    async def confirm(self) -> None:
        """See `Wire`: there are none."""

    async def receive(self) -> bytes:
        """See `Wire`."""
        packed = await self._frames.get()
        if packed is None:
            raise ConnectionResetError("the hub was unplugged")
        return packed

    async def close(self) -> None:
        """See `Wire`."""
        self._handover.close()
        self._hub.remove(self)


class MemoryBackplane(Member):
    """The backplane of one server, to others in the same process.

    What is promised, and what is not, stands in the docstring of `sockkit.backplane`.

    Args:
        hub: what the others are plugged into too.
        server: the name of this server; no other of the group may have it.
        group: servers of the same group act as one.
        expiry: seconds after which a server that says nothing counts as gone.

    Raises:
        ValueError: a name that is none, or an expiry that is no finite time.
    """

    def __init__(
        self, hub: MemoryHub, *, server: str, group: str = "sockkit", expiry: float = 3.0
    ) -> None:
        super().__init__(server=server, group=group, expiry=expiry)
        self._hub = hub

    async def connect(self) -> MemoryWire:
        """Plug in."""
        return MemoryWire(self._hub, self)
