"""What a server says to the others and hears from them, from its start to its stop.

Everything runs on the server's loop. A task holds the connection to the carrier, a `Wire`, and
makes a new one when it is lost. While there is none, what is said is dropped and not kept: what
comes late may come twice, or in the wrong order.
"""

import asyncio
import contextlib
import itertools
import logging
import random
import secrets
import sys
from collections.abc import Awaitable, Callable
from typing import Any

from sockkit.attaching import Home, ToAllHere
from sockkit.backplane.frames import Frame, unpack
from sockkit.backplane.presence import Presence
from sockkit.backplane.wire import Post, State, Wire
from sockkit.errors import ConnectionLost, UnknownClient
from sockkit.foreign import encoder, sure_decoders
from sockkit.text import plain

log = logging.getLogger("sockkit")

PATIENCE = 5.0  # seconds that the carrier may take for an answer
PACE = 0.05  # seconds between two lists of our clients, at least
GOODBYE = 0.2  # seconds that a stop waits for the carrier
MOST_WAITING = 16 << 20  # bytes that may wait for the carrier
_FIRST_PAUSE, _LONGEST_PAUSE = 0.1, 1.0  # seconds between two tries to reach it


class Talk:
    """One life of a server among others.

    Args:
        server: its name.
        expiry: seconds that a list of its clients is good for.
        connect: how to reach the carrier; raises OSError where it can't be reached.
        home: the server.
        to_all_here: gives a message to all clients of the server.
    """

    def __init__(
        self,
        server: str,
        expiry: float,
        connect: Callable[[], Awaitable[Wire]],
        home: Home,
        to_all_here: ToAllHere,
    ) -> None:
        self.state = State.ALONE
        self.others = Presence()
        self._server = server
        self._expiry = expiry
        self._connect = connect
        self._home = home
        self._to_all_here = to_all_here
        self.encode = encoder(home.framing)
        self._new_decoder = sure_decoders(home.framing, sys.maxsize)
        self._run = secrets.token_hex(4)
        self._serials = itertools.count(1)
        self._heard: dict[str, int] = {}  # the last serial of each run of another server
        self._namesake = False  # somebody else with our name was heard
        self._outbox: list[Post] = []
        self._waiting = 0  # bytes in the outbox
        self._full = False
        self._posted = asyncio.Event()
        self._all_out = asyncio.Event()
        self._tried = asyncio.Event()

    async def begin(self, changed: asyncio.Event) -> None:
        """Join the others, or keep trying; returns once the first try is over.

        Args:
            changed: set whenever a client of ours came or went, among other things.
        """
        self._task = asyncio.get_running_loop().create_task(self._live(changed))
        await self._tried.wait()

    async def end(self) -> None:
        """Say goodbye, if that is quick, and leave."""
        if self.state is State.CONNECTED:
            self.post("gone")
            self.state = State.STOPPED  # after that word no other: a list would bring us back
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(GOODBYE):
                    await self._all_out.wait()
        self._task.cancel()
        await asyncio.wait([self._task], timeout=GOODBYE)
        self._tried.set()

    async def be_cut(self) -> None:
        """Fall silent, as one who was killed."""
        self._task.cancel()
        await asyncio.wait([self._task])

    def post(self, kind: str, data: bytes = b"", number: int = 0, to: str = "") -> None:
        """Say something; dropped while the others can't be reached. Never waits."""
        if self.state is not State.CONNECTED:
            return
        if self._waiting > MOST_WAITING:
            if not self._full:
                log.warning("backplane of %s: too much to say, some is dropped", self._server)
            self._full = True
            return
        packed = Frame(self._server, self._run, next(self._serials), kind, number, data).pack()
        self._outbox.append(Post(kind, to, packed))
        self._waiting += len(packed)
        self._all_out.clear()
        self._posted.set()

    # The connection to the carrier.

    async def _live(self, changed: asyncio.Event) -> None:
        pause, mourned = _FIRST_PAUSE, False
        while True:
            try:
                async with asyncio.timeout(PATIENCE):
                    wire = await self._connect()
                try:
                    async with asyncio.timeout(PATIENCE):
                        self._start_afresh(await wire.present())
                    if mourned:
                        log.warning("backplane of %s: connected again", self._server)
                    pause, mourned = _FIRST_PAUSE, False
                    async with asyncio.TaskGroup() as tasks:
                        tasks.create_task(self._listen(wire))
                        tasks.create_task(self._speak(wire))
                        tasks.create_task(wire.confirm())
                        tasks.create_task(self._tell_who_is_here(changed))
                finally:
                    self.state = State.ALONE
                    self.others.clear()
                    await wire.close()
            except* Exception as caught:
                error = caught.exceptions[0]
                if not mourned:
                    bug = None if isinstance(error, OSError) else error
                    text = "backplane of %s: %s; only the clients here are served, trying again"
                    log.warning(text, self._server, error, exc_info=bug)
                mourned = True
            self._tried.set()
            await asyncio.sleep(pause * random.uniform(0.5, 1))
            pause = min(2 * pause, _LONGEST_PAUSE)

    def _start_afresh(self, present: list[bytes]) -> None:
        self._outbox.clear()
        self._waiting = 0
        self._heard_at = asyncio.get_running_loop().time()
        for packed in present:
            with contextlib.suppress(ValueError):
                frame = unpack(packed)
                if frame.server != self._server:
                    # Not through `_heard`: what was said before this list may still come.
                    self.others.here(frame)
        self.state = State.CONNECTED
        self._tried.set()

    async def _speak(self, wire: Wire) -> None:
        while True:
            await self._posted.wait()
            self._posted.clear()
            posts, self._outbox, self._waiting, self._full = self._outbox, [], 0, False
            async with asyncio.timeout(PATIENCE):
                await wire.send(posts)
            if not self._outbox:
                self._all_out.set()

    async def _listen(self, wire: Wire) -> None:
        loop = asyncio.get_running_loop()
        while True:
            packed = await wire.receive()
            self._heard_at = loop.time()
            try:
                self.received(unpack(packed))
            except Exception as error:  # anybody may have published anything
                log.warning("backplane of %s: ignored %s: %s", self._server, plain(packed), error)

    async def _tell_who_is_here(self, changed: asyncio.Event) -> None:
        loop = asyncio.get_running_loop()
        told: tuple[int, ...] | None = None
        said_at = 0.0  # since when we have heard nothing of what we said; or earlier than that
        while True:
            numbers = tuple(self._home.clients)
            if numbers != told:
                told = numbers
                if said_at <= self._heard_at:
                    said_at = loop.time()
                self.post("here", " ".join(map(str, told)).encode(), round(self._expiry * 1000))
            # Nothing is awaited between that look and this, so no change is missed.
            changed.clear()
            try:
                async with asyncio.timeout(self._expiry / 3):
                    await changed.wait()
                await asyncio.sleep(PACE)
            except TimeoutError:
                told = None  # nothing new, but say it again before it expires
            # What we say comes back to us as well. If it does not, the others are not heard either.
            # While a callback holds the loop we say nothing, so that time does not count.
            deaf = said_at > self._heard_at
            if deaf and loop.time() - said_at > max(self._expiry, PATIENCE):
                raise TimeoutError("nothing comes through any more")

    # What the others say.

    def received(self, frame: Frame) -> None:
        """Do what another server says.

        Raises:
            ValueError, ProtocolError: it makes no sense.
        """
        if not self._is_fresh(frame):
            return
        if frame.server == self._server:
            if not self._namesake:
                log.error("backplane: another server calls itself %s too", self._server)
            self._namesake = True
        match frame.kind:
            case "here" if frame.server != self._server:
                self.others.here(frame)
            case "gone":
                self.others.gone(frame)
                del self._heard[frame.run]
            case "all":
                message = self._message_in(frame)
                self._to_all_here(message, self.encode(message), frozenset())
            case "to":
                with contextlib.suppress(UnknownClient, ConnectionLost):  # it has left meanwhile
                    self._home.send(frame.number, self._message_in(frame))

    def _is_fresh(self, frame: Frame) -> bool:
        if frame.run == self._run:
            return False
        if frame.serial <= self._heard.get(frame.run, 0):
            return False  # it was under way for so long that later ones have overtaken it
        self._heard[frame.run] = frame.serial
        return True

    def _message_in(self, frame: Frame) -> Any:
        # Decoded here and encoded again, so that only whole messages of our framing get out.
        messages = self._new_decoder().feed(frame.data)
        if len(messages) != 1:
            raise ValueError(f"not one message of {self._home.framing!r}")
        return messages[0]
