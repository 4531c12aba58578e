"""The hand-over, and a send against the end of its client, as `frontrun` explores them.

What is handed over, decided and closed is the kit's own code, beside a stand-in for the loop.
"""

import asyncio
import contextlib
import threading
from collections.abc import Callable
from typing import Any

from sockkit import (
    AsyncServer,
    ClosedError,
    ConnectionLost,
    Reason,
    UnknownClient,
    channel,
    connection,
    serving,
)
from sockkit.group import ChannelGroup
from sockkit.handover import Handover
from sockkit.serving import ServerChannel

from .explored_loop import QueueLoop, Unlocked

# The hand-over.


class Handing:
    """Two threads submit to a loop, which takes the calls, or closes."""

    def __init__(self) -> None:
        self.loop = QueueLoop()
        self.handover = self.new_handover()
        self.ran: list[str] = []
        self.taken: list[str] = []

    def new_handover(self) -> Handover:
        return Handover(self.loop)  # type: ignore[arg-type]

    def submit(self, *names: str) -> None:
        for name in names:
            with contextlib.suppress(ClosedError):
                self.handover.submit(self.ran.append, name)
                self.taken.append(name)

    def first(self) -> None:
        self.submit("a1", "a2")

    def second(self) -> None:
        self.submit("b1")

    def loop_until_all_ran(self) -> None:
        """The loop's thread: it sleeps until it is woken; a lost call is waited for in vain."""
        while len(self.ran) < 3:
            self.loop.turn()

    def loop_that_closes(self) -> None:
        """The loop's thread at its end."""
        self.handover.close()
        self.loop.turn_while_woken()

    def nothing_lost(self) -> bool:
        """What was taken ran, each once, and in the order of its thread."""
        assert sorted(self.ran) == sorted(self.taken), f"ran {self.ran}, taken {self.taken}"
        return [name for name in self.ran if name < "b"] == sorted(
            name for name in self.taken if name < "b"
        )


class HandingWithoutLock(Handing):
    """The same, and the hand-over has no lock."""

    def new_handover(self) -> Handover:
        handover = super().new_handover()
        handover._lock = Unlocked()  # type: ignore[assignment]
        return handover


# A send against the end of its client.


class Wire(asyncio.Transport):
    """A transport that takes everything, and keeps to the rules of one that was closed."""

    def __init__(self) -> None:
        super().__init__()
        self.written: list[bytes] = []
        self.closed = False

    def write(self, data: Any) -> None:
        assert not self.closed, "written after the close"
        self.written.append(data)

    def close(self) -> None:
        assert not self.closed, "closed twice"
        self.closed = True

    def abort(self) -> None:
        self.closed = True

    def is_closing(self) -> bool:
        return self.closed

    def get_write_buffer_size(self) -> int:
        return 0

    def set_write_buffer_limits(self, high: int | None = None, low: int | None = None) -> None: ...


_here = threading.local()


def who() -> str:
    """In place of `get_ident`."""
    return getattr(_here, "name", "another's")


class Talking:
    """A server with one client: threads send to it, while the loop's thread ends it."""

    def __init__(self) -> None:
        self.loop = QueueLoop()
        self.ends: list[Reason] = []
        self.accepted: list[str] = []
        self.server = AsyncServer(on_disconnect=lambda _, reason: self.ends.append(reason))
        self.wire = Wire()
        # The same in every run: neither the time nor the numbers of threads.
        serving.perf_counter = lambda: 0.0  # type: ignore
        channel.get_ident = connection.get_ident = who  # type: ignore
        asyncio._set_running_loop(self.loop)  # type: ignore[arg-type]
        try:
            self.group = self.server._group = ChannelGroup()
        finally:
            asyncio._set_running_loop(None)
        self.group.thread = "the loop's"  # type: ignore[assignment]
        self.server._service.begin(self.group)
        self.channel = self.new_channel()
        self.channel.connection_made(self.wire)

    def new_channel(self) -> ServerChannel:
        return ServerChannel(self.server._service, self.group, ("127.0.0.1", 1))

    def send(self, *texts: str) -> None:
        for text in texts:
            try:
                self.server.send(1, text)
            except (UnknownClient, ConnectionLost, ClosedError):
                return
            self.accepted.append(text)

    def first(self) -> None:
        self.send("a1", "a2")

    def second(self) -> None:
        self.send("b1")

    def loop_with(self, end: Callable[[], object]) -> None:
        _here.name = "the loop's"
        end()
        self.loop.turn_while_woken()

    def loop_that_disconnects(self) -> None:
        self.loop_with(lambda: self.server.disconnect(1))

    def loop_that_hears_fin(self) -> None:
        self.loop_with(self.channel.eof_received)

    def loop_that_hears_reset(self) -> None:
        self.loop_with(lambda: self.channel.connection_lost(ConnectionResetError()))

    def loop_that_stops(self) -> None:
        """What `AsyncServer._stop` does to its clients and its door."""

        def stop() -> None:
            self.channel.end(Reason.SERVER_STOPPED)
            self.group.handover.close()
            self.server._group = None

        self.loop_with(stop)

    def loop_that_turns(self) -> None:
        self.loop_with(lambda: None)

    def nothing_torn(self) -> bool:
        """What went out is each accepted message at most once, and each thread's in its order."""
        self.loop_with(lambda: None)
        lines = b"".join(self.wire.written).decode().splitlines()
        assert len(lines) == len(set(lines)), f"doubled: {lines}"
        assert set(lines) <= set(self.accepted), f"never accepted: {lines}"
        own = [line for line in lines if line < "b"]
        assert own == ["a1", "a2"][: len(own)], f"out of order: {lines}"
        assert self.channel.sent_bytes == sum(map(len, self.wire.written)), "counted wrongly"
        assert self.channel.out_bytes == len(self.channel.out) == 0, "something stayed behind"
        return True

    def told_once(self) -> bool:
        """And the end was told once."""
        return self.nothing_torn() and len(self.ends) == 1

    def all_out(self) -> bool:
        """And as nobody ended it, all of it went out."""
        return self.nothing_torn() and b"".join(self.wire.written).count(b"\n") == 3


class Direct(ServerChannel):
    """A channel that writes on whichever thread it is called."""

    __slots__ = ()

    def hand_over(self, message: Any, data: bytes) -> None:
        self.write(message, data)


class TalkingDirectly(Talking):
    """The same, and nothing is handed over to the loop's thread."""

    def new_channel(self) -> ServerChannel:
        return Direct(self.server._service, self.group, ("127.0.0.1", 1))
