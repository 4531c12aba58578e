"""A server on a network in memory, a peer who follows a script, and a neighbour who wants an echo.

`Worlds.play(data)` plays one input and judges what came of it. A world lives on from one input to
the next, as a server does from one client to the next; what fails is played again in a new one.
"""

import asyncio
import contextlib
import logging
from collections.abc import Callable
from typing import Any
from unittest import mock

from sockkit import (
    AsyncServer,
    ConnectionLost,
    Limits,
    Lines,
    ProtocolError,
    UnknownClient,
    poller,
    sockets,
)
from sockkit.connection import Connection
from sockkit.events import Reason

from .judge import judge
from .kernel import UNLIMITED, End, Listener, Loop, Network
from .script import LIMITS, LONGEST, READ, Script, Setting, Step, read

PATIENCE = 10.0  # seconds, of a clock that jumps, from one look at the neighbour to the next
MOST = 2000.0  # seconds until everybody must have gone


class Story:
    """What came of a script, as it was seen from outside.

    Attributes:
        connects: calls of on_connect.
        messages: what on_message was told.
        ends: what on_disconnect was told.
        accepted: what was accepted for the peer, as bytes, in order.
        raised: how often the handler raised.
        kicked: whether anybody asked for the end of the client.
        said: all that the peer sent.
        seconds: how much time the script let pass.
        narrow: whether there was ever something that the peer did not take at once.
        passed_on: bytes of the messages that the handler was given.
        held: most bytes that the server had read and not passed on yet.
        pending: most bytes that waited for the peer.
        finish: how the peer ended: fin, reset, vanish.
    """

    def __init__(self) -> None:
        self.connects, self.raised = 0, 0
        self.messages: list[Any] = []
        self.ends: list[Reason] = []
        self.accepted: list[bytes] = []
        self.kicked = self.narrow = False
        self.said = b""
        self.seconds = 0.0
        self.passed_on = self.held = self.pending = 0
        self.finish = ""
        self.connection: Connection | None = None
        self.end = End()


class World:
    """One server and its loop."""

    def __init__(self, network: Network, setting: Setting, debug: bool) -> None:
        self.setting = setting
        self.loop = Loop(network)
        self.loop.set_debug(debug)
        self.loop.slow_callback_duration = 3600.0  # a busy machine is no finding
        self.faults: list[str] = []
        self.loop.set_exception_handler(lambda _, context: self.faults.append(str(context)))
        self.story = Story()
        self._listeners: list[Listener] = []
        wait = setting.handler in ("at once", "waits")
        limits = {name: getattr(LIMITS, name) for name in LIMITS.__dataclass_fields__}
        if setting.handler == "paced":
            limits["rate"] = 5.0
        self.server = AsyncServer(
            self._on_message_later if wait else self._on_message,
            on_connect=self._on_connect,
            on_disconnect=self._on_disconnect,
            framing=setting.framing,
            limits=Limits(**limits),
            token=setting.token,
            receive_buffer=READ,
        )
        self.loop.run_until_complete(self.server.start())
        self._listener: Listener = self.server._door._listener  # type: ignore[assignment]
        self._neighbour = self._listener.dial()
        if setting.token:
            self._neighbour.say(setting.token.encode() + b"\n")
        self._number = 1
        self._pings = 0

    def close(self) -> None:
        """Stop the server; nothing may be left of it."""
        self.loop.run_until_complete(self.server.stop())
        assert self.loop.run_until_complete(self._others()) == set()
        self.loop.close()

    def drop(self) -> None:
        """Close it, in whatever state it is."""
        with contextlib.suppress(Exception):
            self.loop.selector.turns = 0
            self.loop.run_until_complete(self.server.stop(grace=0))
        self.loop.close()

    async def _others(self) -> set[Any]:
        return asyncio.all_tasks() - {asyncio.current_task()}

    # The server's callbacks.

    def _on_connect(self, connection: Connection) -> None:
        if connection.number > 1:
            self.story.connects += 1
            self.story.connection = connection

    def _on_message(self, connection: Connection, message: Any) -> None:
        if connection.number == 1:
            connection.send(message)
            return
        story = self.story
        assert connection is story.connection
        assert story.ends == []
        story.messages.append(message)
        story.passed_on += self._length(message)
        self._look()
        if message in ("raise", b"raise"):
            story.raised += 1
            raise ZeroDivisionError
        if message in ("close", b"close"):
            story.kicked = True
            connection.close()
        else:
            with contextlib.suppress(ProtocolError):  # some encodings read more than they write
                self._send(lambda: connection.send(message), message)

    async def _on_message_later(self, connection: Connection, message: Any) -> None:
        if self.setting.handler == "waits" and connection.number > 1:
            await asyncio.sleep(0.01)
        self._on_message(connection, message)

    def _on_disconnect(self, connection: Connection, reason: Reason) -> None:
        assert connection is self.story.connection, "the neighbour was sent away"
        self.story.ends.append(reason)

    def _send(self, send: Callable[[], Any], message: Any) -> None:
        if send() != 0:
            self.story.accepted.append(self.setting.framing.encode(message))

    def _length(self, message: Any) -> int:
        """How many bytes it was on its way; where that can't be told, as many as it may be."""
        if getattr(self.setting.framing, "encoding", "") == "iso2022_jp":
            return LONGEST + 1
        return len(self.setting.framing.encode(message))

    def _look(self) -> None:
        """Note how much is held for this peer, in either direction."""
        story = self.story
        if (connection := story.connection) is not None and connection.reason is None:
            story.pending = max(story.pending, connection.pending)
            token = len(self.setting.token) + 1 if self.setting.token else 0
            if story.finish not in ("reset", "vanish"):  # then all is read that had come
                story.held = max(story.held, story.end.taken - token - story.passed_on)

    # The play.

    def play(self, script: Script) -> None:
        """Play a script, and judge what came of it."""
        self.loop.selector.turns = 0
        self.loop.run_until_complete(self._play(script))
        assert self.faults == [], self.faults
        judge(script, self.story)

    async def _play(self, script: Script) -> None:
        self._number += self.story.connects
        story = self.story = Story()
        story.end = self._listener.dial()
        await self._turns(3)
        for step in script.steps:
            await self._do(step)
            self._look()
            if step.then_run:
                await self._turns(3)
                self._look()
        if not story.finish:
            await self._do(Step("end", "fin", then_run=False))
        gone = lambda: story.end.ended and len(story.ends) == story.connects  # noqa: E731
        begin = self.loop.time()
        while not gone():
            assert self.loop.time() < begin + MOST, "it never went"
            await self._seconds(PATIENCE, until=gone)
        await self._turns(3)
        await self._meet_the_neighbour()
        assert len(self.server._service.open) == 1, "somebody is still there"
        assert list(self.server.clients) == [1]

    async def _do(self, step: Step) -> None:
        story, end, kind = self.story, self.story.end, step.kind
        if kind == "say" and not story.finish:
            story.said += step.value
            end.say(step.value)
        elif kind == "turns":
            await self._turns(step.value)
        elif kind == "seconds":
            story.seconds += step.value
            await self._seconds(step.value)
        elif kind == "window":
            story.narrow = story.narrow or step.value is not None
            end.window = UNLIMITED if step.value is None else step.value
        elif kind == "end" and not story.finish:
            story.finish = step.value
            {"fin": end.finish, "reset": end.reset, "vanish": end.vanish}[step.value]()
        elif kind in ("send", "broadcast", "disconnect"):
            self._speak(kind, step.value)

    def _speak(self, kind: str, message: Any) -> None:
        story, number = self.story, self._number + 1
        try:
            if kind == "send":
                self._send(lambda: self.server.send(number, message), message)
            elif kind == "broadcast":
                self._send(lambda: self.server.broadcast(message, exclude=[1]), message)
            else:
                self.server.disconnect(number)
                story.kicked = True
        except (UnknownClient, ConnectionLost):
            assert story.connection is None or story.connection.reason is not None

    async def _turns(self, count: int) -> None:
        for _ in range(count):
            await asyncio.sleep(0)

    async def _seconds(self, count: float, until: Callable[[], Any] = lambda: False) -> None:
        while count > 0 and not until():
            await asyncio.sleep(min(count, PATIENCE))
            self._look()
            await self._meet_the_neighbour()
            count -= PATIENCE

    async def _meet_the_neighbour(self) -> None:
        """One who has to do with nothing of all this gets an answer."""
        self._pings += 1
        text = str(self._pings)
        framing = self.setting.framing
        ping = framing.encode(text if isinstance(framing, Lines) else text.encode())
        self._neighbour.told.clear()
        self._neighbour.say(ping)
        for _ in range(1000):
            if self._neighbour.told:
                break
            await asyncio.sleep(0 if self.setting.handler != "paced" else 0.01)
        assert self._neighbour.told.removeprefix(b"welcome\n") == ping


class Worlds:
    """A world for each setting, made when it is first needed. For use as a context manager."""

    def __init__(self, debug: bool = False) -> None:
        self._debug = debug
        self._network = Network()
        self._worlds: dict[Setting, World] = {}
        self._errors: list[logging.LogRecord] = []
        self._exit = contextlib.ExitStack()

    def __enter__(self) -> "Worlds":
        self._exit.enter_context(mock.patch.object(sockets, "socket", self._network))
        self._exit.enter_context(mock.patch.object(poller, "select", self._network))
        handler = logging.Handler(logging.ERROR)
        handler.emit = self._errors.append  # type: ignore[method-assign]
        for name in ("sockkit", "asyncio"):
            logger = logging.getLogger(name)
            logger.addHandler(handler)
            self._exit.callback(logger.removeHandler, handler)
            self._exit.callback(setattr, logger, "propagate", logger.propagate)
            logger.propagate = False
        return self

    def __exit__(self, kind: type | None, *exc_info: object) -> None:
        try:
            for world in self._worlds.values():
                world.close() if kind is None else world.drop()
        finally:
            self._exit.close()

    def play(self, data: bytes) -> None:
        """Play an input. What fails is played again in a new world, where nothing was before."""
        script = read(data)
        try:
            self._play(script)
        except Exception:
            self._worlds.pop(script.setting).drop()
            self._play(script)
            raise

    def _play(self, script: Script) -> None:
        world = self._worlds.get(script.setting)
        if world is None:
            world = self._worlds[script.setting] = World(self._network, script.setting, self._debug)
        self._errors.clear()
        world.play(script)
        told = [record.getMessage() for record in self._errors]
        number = world.story.connection.number if world.story.connection else 0
        fails = f"{world.server._service.on_message.__qualname__} failed for client {number}"
        assert told == [fails] * world.story.raised
