"""One server's place among others that act as one, whatever carries what they say.

Everything runs on the server's loop, except where it says any thread. A task holds the connection
to the carrier, a `Wire`, and makes a new one when it is lost. While there is none, frames are
dropped and not kept: what comes late may come twice, or in the wrong order.
"""

import asyncio
import contextlib
import itertools
import logging
import random
import secrets
import sys
from threading import get_ident
from typing import Any

from sockkit.attaching import Home, ToAllHere
from sockkit.backplane.frames import Frame, check_name, unpack
from sockkit.backplane.presence import Presence
from sockkit.backplane.wire import Post, State, Wire
from sockkit.errors import ClosedError, ConnectionLost, UnknownClient
from sockkit.framing import decoder_factory
from sockkit.handover import Handover
from sockkit.text import plain

log = logging.getLogger("sockkit")

PATIENCE = 5.0  # seconds that the carrier may take for an answer
PACE = 0.05  # seconds between two lists of our clients, at least
GOODBYE = 0.2  # seconds that a stop waits for the carrier
MOST_WAITING = 16 << 20  # bytes of frames that may wait for the carrier
_FIRST_PAUSE, _LONGEST_PAUSE = 0.1, 2.0  # seconds between two tries to reach it


class Member:
    """What every backplane can do. A subclass says how to reach the carrier.

    Args:
        server: the name of this server; no other of the group may have it.
        group: servers of the same group act as one.
        expiry: seconds after which a server that says nothing counts as gone.

    Raises:
        ValueError: a name that is none, or an expiry that is not above 0.
    """

    def __init__(self, *, server: str, group: str = "sockkit", expiry: float = 3.0) -> None:
        check_name(server, "server")
        check_name(group, "group")
        if not expiry > 0:
            raise ValueError(f"expiry is a time above 0 seconds, not {expiry!r}")
        self.server = server
        self.group = group
        self.expiry = expiry
        self._home: Home | None = None
        self._task: asyncio.Task[None] | None = None  # while running
        self._state = State.STOPPED
        self._others = Presence()
        self._heard: dict[str, int] = {}  # the last serial of each run of another server
        self._outbox: list[Post] = []
        self._waiting = 0  # bytes in the outbox

    async def connect(self) -> Wire:
        """Reach the carrier. From now on no frame may be missed.

        Raises:
            OSError: it can't be reached.
        """
        raise NotImplementedError

    # For anybody.

    @property
    def state(self) -> State:
        """Whether the others can be reached. Any thread."""
        return self._state

    @property
    def servers(self) -> tuple[str, ...]:
        """The names of all servers that are there, this one included. Any thread."""
        return tuple(self._all())

    @property
    def clients(self) -> tuple[str, ...]:
        """All clients of all servers, each as `number@server`. Any thread.

        Those of other servers are told some 50 ms late; while `state` is `alone` there are none.
        """
        return tuple(f"{n}@{server}" for server, numbers in self._all().items() for n in numbers)

    def _all(self) -> dict[str, Any]:
        found: dict[str, Any] = {**self._others.servers()}
        if self._home is not None and self._state is not State.STOPPED:
            found[self.server] = self._home.clients
        return {server: found[server] for server in sorted(found)}

    def send(self, client: str, message: Any) -> None:
        """Accept a message for one client, wherever it is. Any thread; never waits.

        Returning means accepted here. Should the client, its server or the carrier be gone before
        the message is there, nobody is told.

        Args:
            client: `number@server`, as in `clients`.
            message: what to send.

        Raises:
            UnknownClient: there is no such client in `clients`.
            ConnectionLost: it was connected here, and went just now.
            ClosedError: the server is not running.
            TypeError, ProtocolError: from the framing.
        """
        if self._home is None or self._task is None:
            raise ClosedError("the server of this backplane is not running: call start()")
        number, at, server = str(client).partition("@")
        known = bool(at) and number.isascii() and number.isdecimal()
        if known and server == self.server:
            self._home.send(int(number), message)
            return
        if not known or not self._others.has(server, int(number)):
            text = f"no client {plain(repr(client))} is connected, as far as {self.server} knows"
            raise UnknownClient(f"{text} (its backplane is {self._state})")
        data = self._home.framing.encode(message)
        if get_ident() == self._thread:
            self._post("to", data, int(number), server)
        else:
            self._handover.submit(self._post, "to", data, int(number), server)

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.server} in {self.group}: {self._state}>"

    # For the server.

    def bind(self, home: Home, to_all_here: ToAllHere) -> None:
        """Belong to this server; see `Backplane`."""
        if self._home is not None:
            raise ValueError(f"the backplane {self.server!r} has a server: make one for each")
        self._home = home
        self._to_all_here = to_all_here
        self._new_decoder = decoder_factory(home.framing, sys.maxsize)

    async def start(self, changed: asyncio.Event) -> None:
        """Join the others, or keep trying; see `Backplane`."""
        if self._task is None:
            loop = asyncio.get_running_loop()
            self._handover = Handover(loop)
            self._thread = get_ident()
            self._run = secrets.token_hex(4)
            self._serials = itertools.count(1)
            self._namesake = False  # somebody else with our name was heard
            self._state = State.ALONE
            self._tried = asyncio.Event()
            self._posted = asyncio.Event()
            self._all_out = asyncio.Event()
            self._task = loop.create_task(self._live(changed))
        await self._tried.wait()

    async def stop(self) -> None:
        """Say goodbye, if that is quick, and leave."""
        task, self._task = self._task, None
        if task is not None:
            self._handover.close()
            if self._state is State.CONNECTED:
                self._post("gone")
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(GOODBYE):
                        await self._all_out.wait()
            task.cancel()
            await asyncio.wait([task], timeout=GOODBYE)
            self._state = State.STOPPED
            self._others.clear()
            self._tried.set()

    def cut_off(self) -> None:
        """In a forked child: be a backplane that is not running."""
        if self._task is not None:
            self._task = None
            self._handover.cut_off()
            self._state = State.STOPPED
            self._others.clear()

    def broadcast(self, data: bytes) -> None:
        """Pass a message, encoded, to all other servers."""
        self._post("all", data)

    # The connection to the carrier.

    async def _live(self, changed: asyncio.Event) -> None:
        pause, mourned = _FIRST_PAUSE, False
        while True:
            try:
                async with asyncio.timeout(PATIENCE):
                    wire = await self.connect()
                try:
                    async with asyncio.timeout(PATIENCE):
                        present = await wire.present()
                    self._begin(present, mourned)
                    pause, mourned = _FIRST_PAUSE, False
                    async with asyncio.TaskGroup() as tasks:
                        tasks.create_task(self._listen(wire))
                        tasks.create_task(self._speak(wire))
                        tasks.create_task(self._tell_who_is_here(changed))
                finally:
                    self._alone()
                    await wire.close()
            except* Exception as caught:
                error = caught.exceptions[0]
                if not mourned:
                    bug = None if isinstance(error, OSError) else error
                    text = "backplane of %s: %s; only the clients here are served, trying again"
                    log.warning(text, self.server, error, exc_info=bug)
                mourned = True
            self._tried.set()
            await asyncio.sleep(pause * random.uniform(0.5, 1))
            pause = min(2 * pause, _LONGEST_PAUSE)

    def _begin(self, present: list[bytes], after_a_loss: bool) -> None:
        self._outbox.clear()
        self._waiting = 0
        self._full = False
        self._heard_at = asyncio.get_running_loop().time()
        for packed in present:
            with contextlib.suppress(ValueError):
                frame = unpack(packed)
                if frame.server != self.server:
                    # Not through `_heard`: what was said before this list may still come.
                    self._others.here(frame)
        self._state = State.CONNECTED
        if after_a_loss:
            log.warning("backplane of %s: connected again", self.server)
        self._tried.set()

    def _alone(self) -> None:
        if self._state is State.CONNECTED:
            self._state = State.ALONE
            self._others.clear()

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
                self._received(unpack(packed))
            except Exception as error:  # anybody may have published anything
                log.warning("backplane of %s: ignored %s: %s", self.server, plain(packed), error)

    async def _tell_who_is_here(self, changed: asyncio.Event) -> None:
        assert self._home is not None
        loop = asyncio.get_running_loop()
        told: tuple[int, ...] | None = None
        while True:
            numbers = tuple(self._home.clients)
            if numbers != told:
                told = numbers
                self._post("here", " ".join(map(str, told)).encode(), round(self.expiry * 1000))
            # Nothing is awaited between that look and this, so no change is missed.
            changed.clear()
            try:
                async with asyncio.timeout(self.expiry / 3):
                    await changed.wait()
                await asyncio.sleep(PACE)
            except TimeoutError:
                told = None  # nothing new, but say it again before it expires
            # What we say comes back to us as well. If it does not, the others are not heard either.
            if loop.time() - self._heard_at > self.expiry + PATIENCE:
                raise TimeoutError("nothing comes through any more")

    # What is said.

    def _post(self, kind: str, data: bytes = b"", number: int = 0, to: str = "") -> None:
        if self._state is not State.CONNECTED:
            return
        if self._waiting > MOST_WAITING:
            if not self._full:
                log.warning("backplane of %s: too much to say, some is dropped", self.server)
            self._full = True
            return
        frame = Frame(self.server, self._run, next(self._serials), kind, number, data)
        packed = frame.pack()
        self._outbox.append(Post(kind, to, packed))
        self._waiting += len(packed)
        self._all_out.clear()
        self._posted.set()

    def _received(self, frame: Frame) -> None:
        if frame.run == self._run:
            return
        if frame.server == self.server:
            if not self._namesake:
                log.error("backplane: another server calls itself %s too", self.server)
            self._namesake = True
        if frame.serial <= self._heard.get(frame.run, 0):
            return  # it was under way for so long that later ones have overtaken it
        self._heard[frame.run] = frame.serial
        match frame.kind:
            case "here" if frame.server != self.server:
                self._others.here(frame)
            case "gone":
                self._others.gone(frame)
                del self._heard[frame.run]
            case "all":
                message, encoded = self._message_in(frame)
                self._to_all_here(message, encoded, frozenset())
            case "to":
                assert self._home is not None
                with contextlib.suppress(UnknownClient, ConnectionLost):  # it has left meanwhile
                    self._home.send(frame.number, self._message_in(frame)[0])

    def _message_in(self, frame: Frame) -> tuple[Any, bytes]:
        # Decoded and encoded again, so that nothing but whole messages of our framing gets out.
        assert self._home is not None
        messages = self._new_decoder().feed(frame.data)
        if len(messages) != 1:
            raise ValueError(f"not one message of {self._home.framing!r}")
        return messages[0], self._home.framing.encode(messages[0])
