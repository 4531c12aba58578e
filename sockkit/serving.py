"""One client on the server's side: its callbacks run in order, and its failures stay its own.

A plain callback runs at once, in the turn of the loop that received the message. What a coroutine
function returns is awaited in a task of this client. While that task works, further messages queue
behind it and the socket is not read: a slow handler slows down only its own client, and TCP passes
that on to the sender.
"""

import asyncio
import functools
import inspect
import logging
import threading
import time
from collections import deque
from collections.abc import Awaitable, Callable, Iterable, Iterator
from itertools import chain
from typing import Any, NamedTuple, NoReturn

from sockkit.admission import REFUSED, WELCOME, FirstLineDecoder, is_token
from sockkit.channel import Channel, ChannelGroup
from sockkit.connection import Connection
from sockkit.deadlines import Deadlines
from sockkit.errors import ConnectionLost, ProtocolError
from sockkit.events import Connected, Disconnected, Event, Reason, Received, Refused, Sent
from sockkit.framing import Framing, decoder_factory
from sockkit.limits import Limits
from sockkit.registry import Registry
from sockkit.watch import SlowCallbacks, name_of
from sockkit.workers import Workers

log = logging.getLogger("sockkit")

Callback = Callable[..., object]

# Once the server itself has ended a connection for one of these, no more of its messages are
# delivered. Where the peer ended it, what was complete before the end still is.
_NO_MORE_MESSAGES = {
    Reason.KICKED,
    Reason.TOO_SLOW,
    Reason.HANDLER_ERROR,
    Reason.SERVER_STOPPED,
}

# Why a socket is not read: its callbacks lag behind, or the client is ahead of its rate.
_LAG, _RATE = 1, 2


class Service:
    """What all clients of one server share. Outlives a stop and the next start."""

    def __init__(
        self,
        on_connect: Callback | None,
        on_message: Callback | None,
        on_disconnect: Callback | None,
        framing: Framing,
        limits: Limits,
        token: str | None,
    ) -> None:
        self.on_connect = None if on_connect is None else _one_argument(on_connect)
        self.on_message = on_message
        self.on_disconnect = on_disconnect
        self.framing = framing
        self.limits = limits
        self.token = token
        self.new_decoder = decoder_factory(framing, limits.max_message)
        self.registry = Registry()
        self.slow_callbacks = SlowCallbacks()
        self.observers: tuple[Callable[[Event], object], ...] = ()
        self._observers_lock = threading.Lock()
        self.group: ChannelGroup | None = None  # since the first start
        # In the order of arrival, each until its last callback has returned. A dict for the order.
        self.open: dict[ServerChannel, None] = {}

    def begin(self, group: ChannelGroup) -> None:
        """Prepare for the clients of one start."""
        limits, loop = self.limits, group.loop
        self.group = group
        group.observed = bool(self.observers)
        self.changed = asyncio.Event()  # somebody came, has finished a callback, or is gone
        self.idle: Deadlines[ServerChannel] | None = None
        self.begun: Deadlines[ServerChannel] | None = None
        self.workers = Workers(loop)
        if limits.idle_timeout is not None:
            self.idle = Deadlines(loop, limits.idle_timeout, _time_out)
        if limits.message_timeout is not None:
            self.begun = Deadlines(loop, limits.message_timeout, _time_out)

    def end(self) -> None:
        """Leave nothing running of what `begin` made."""
        for deadlines in (self.idle, self.begun):
            if deadlines is not None:
                deadlines.close()

    def observe(self, callback: Callable[[Event], object]) -> Callable[[], None]:
        """Add an observer; return what removes it. Any thread."""

        def remove() -> None:
            with self._observers_lock:
                self._set_observers(o for o in self.observers if o is not callback)

        with self._observers_lock:
            self._set_observers((*self.observers, callback))
        return remove

    def _set_observers(self, observers: Iterable[Callable[[Event], object]]) -> None:
        self.observers = tuple(observers)
        if self.group is not None:
            self.group.observed = bool(self.observers)

    def record(self, event: Event) -> None:
        """Tell the observers. What one of them raises is logged and hurts nobody."""
        for observer in self.observers:
            try:
                observer(event)
            except Exception:
                log.exception("the observer %s failed", name_of(observer))


def _one_argument(on_connect: Callback) -> Callback:
    """`on_connect` in the shape of the other two callbacks, so that all are called alike."""

    @functools.wraps(on_connect)
    def call(connection: Connection, _: None) -> object:
        return on_connect(connection)

    return call


def _time_out(channel: "ServerChannel") -> None:
    channel.end(Reason.TIMED_OUT)


class _Begun(NamedTuple):
    """A callback was called, and what it returned is still to be awaited."""

    waiting: Awaitable[Any]


class ServerChannel(Channel):
    """The channel of one client of a server."""

    __slots__ = (
        "_address",
        "_calls",
        "_holds",
        "_lost",
        "_next_free",
        "_since",
        "_told",
        "_watched",
        "callback",
        "connection",
        "service",
    )

    def __init__(self, service: Service, group: ChannelGroup) -> None:
        super().__init__(
            group,
            service.framing.encode,
            FirstLineDecoder() if service.token else service.new_decoder(),
            service.limits.max_pending,
            service.limits.linger,
        )
        self.service = service
        self.connection: Connection | None = None  # None until it has been let in
        self.callback: Callback | None = None  # the one that is at work now
        # Calls that wait behind one that is being awaited; None while there is no such one.
        self._calls: deque[tuple[Callback, Iterator[Any]]] | None = None
        self._since = 0.0  # when the callback at work got the loop
        self._watched = False  # a time limit is running
        self._holds = 0  # why the socket is not read, if it is not
        self._next_free = 0.0  # loop time at which the rate allows one more message
        self._told = self._lost = False  # on_disconnect was called; the transport is gone

    # Coming in.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """asyncio: somebody is at the door."""
        super().connection_made(transport)
        self._address: tuple[str, int] = transport.get_extra_info("peername")[:2]
        self.service.open[self] = None
        if self.service.token is None:
            self._let_in()
        elif self.service.begun is not None:
            self.service.begun.start(self)  # the token, too, must be whole by then

    def _let_in(self) -> None:
        service = self.service
        bound = service.limits.max_clients
        if bound is not None and len(service.registry) >= bound:
            self._refuse(f"the server is full: {bound} clients", self._full_notice())
            return
        self.connection = service.registry.add(self, self._address)
        service.changed.set()
        if service.idle is not None:
            service.idle.start(self)
        if service.observers:
            service.record(Connected(time.time(), self.connection.number, self._address))
        if service.on_connect is not None:
            self._call(service.on_connect, iter([None]))

    def _refuse(self, why: str, answer: bytes) -> None:
        host, port = self._address
        log.warning("refused a client at %s:%d: %s", host, port, why)
        self.service.record(Refused(time.time(), self._address, why))
        self.transport.write(answer)
        self.end(Reason.REFUSED)

    def _full_notice(self) -> bytes:
        # In the server's own framing, so that the client can read it as a message.
        text = "the server is full"
        for message in (text, text.encode()):
            try:
                return self.encode(message)
            except TypeError:
                continue
        return b""  # a framing of neither text nor bytes: closing says it

    def _check_token(self, line: bytes, rest: bytes) -> None:
        if not is_token(line, self.service.token or ""):
            self._refuse("wrong token", REFUSED)
            return
        self.decoder = self.service.new_decoder()
        self.received = self.received_bytes = 0
        self.transport.write(WELCOME)
        self._let_in()
        if rest and self.reason is None:
            self.feed(rest)

    # Messages.

    def feed(self, data: bytes) -> int:
        """Decode, deliver, and keep the time limits."""
        count = Channel.feed(self, data)
        if self._watched or self.service.idle is not None or self._begun_message:
            self._watch(heard=True, whole=count > 0)
        return count

    @property
    def _begun_message(self) -> bool:
        return getattr(self.decoder, "buffered", 0) > 0

    def messages_received(self, messages: list[Any]) -> None:
        """Run the callback for each, or queue them behind one that is being awaited."""
        service = self.service
        if self.connection is None:
            self._check_token(*messages[0])
            return
        if service.observers:
            now, number = time.time(), self.connection.number
            for message in messages:
                service.record(Received(now, number, message))
        if service.on_message is not None:
            if self._calls is not None:
                self._hold(_LAG)
            self._call(service.on_message, iter(messages))
        if service.limits.rate is not None:
            self._pace(len(messages), service.limits.rate)

    def protocol_fault(self, fault: ProtocolError) -> None:
        """End this client; no other notices."""
        if self.connection is None:
            self._refuse("no token", REFUSED)
        else:
            log.info("client %d: %s", self.connection.number, fault)
            self._call(self._end_after_callbacks, iter([Reason.PROTOCOL_ERROR]))

    def peer_closed(self) -> None:
        """FIN: finish the callbacks and the replies, then close."""
        if self.connection is None:
            self.end(Reason.CLOSED)
        else:
            self._call(self._end_after_callbacks, iter([Reason.CLOSED]))

    def _end_after_callbacks(self, connection: Connection, reason: Reason) -> None:
        self.end(reason)

    # Callbacks, in order.

    def _call(self, callback: Callback, arguments: Iterator[Any]) -> None:
        """Run `callback(connection, argument)` for each argument, now or in its turn."""
        if self._calls is not None:
            self._calls.append((callback, arguments))
            return
        # The loop that every message of a plain handler passes: whatever can be done once for all
        # messages of a receive is done outside it. A decision made for speed.
        connection = self.connection
        self.callback = callback
        self._since = time.perf_counter()
        try:
            for argument in arguments:
                result = callback(connection, argument)
                if result is not None and inspect.isawaitable(result):
                    self._calls = deque([(callback, chain([_Begun(result)], arguments))])
                    self.service.workers.take(self)
                    break
                if self.reason in _NO_MORE_MESSAGES:
                    break
        except (Exception, SystemExit) as error:
            self._callback_failed(callback, error)
        self.step_ended()

    async def work(self) -> None:
        """Run the calls that wait, in order, until there are none. For a worker."""
        assert self._calls is not None
        self.step_began()
        while self._calls:
            self.callback, arguments = self._calls.popleft()
            for argument in arguments:
                if not self._wanted(self.callback):
                    break
                try:
                    if type(argument) is _Begun:
                        await argument.waiting
                    else:
                        result = self.callback(self.connection, argument)
                        if result is not None and inspect.isawaitable(result):
                            await result
                except (Exception, SystemExit, asyncio.CancelledError) as error:
                    # Also when stop() cancels it: this callback is over, but the calls that wait
                    # hold the news of the end, and everybody gets that.
                    self._callback_failed(self.callback, error)
        self.step_ended()
        self._calls = None
        self.service.changed.set()
        self._release(_LAG)
        self._forget_if_gone()

    @property
    def busy(self) -> bool:
        """Whether one of its callbacks is being awaited, or waits for its turn."""
        return self._calls is not None

    def _wanted(self, callback: Callback) -> bool:
        return self.reason not in _NO_MORE_MESSAGES or callback is not self.service.on_message

    def _callback_failed(self, callback: Callback, error: BaseException) -> None:
        number = self.connection.number if self.connection else 0
        if isinstance(error, asyncio.CancelledError) and self.reason is Reason.SERVER_STOPPED:
            log.warning("%s was still busy with client %d: cancelled", name_of(callback), number)
            return
        log.error("%s failed for client %d", name_of(callback), number, exc_info=error)
        self.end(Reason.HANDLER_ERROR)

    def step_began(self) -> None:
        """A callback has the loop to itself, from now on."""
        self._since = time.perf_counter()

    def step_ended(self) -> None:
        """The callback has given the loop back. Tells if it held it for too long."""
        held = time.perf_counter() - self._since
        if held > self.service.slow_callbacks.limit and self.callback and self.connection:
            self.service.slow_callbacks.tell(self.callback, self.connection.number, held)

    # Listening, or not.

    def _watch(self, heard: bool = False, whole: bool = False) -> None:
        """Start and stop the time limits. Silence counts only while we listen."""
        idle, begun = self.service.idle, self.service.begun
        listening = self.reason is None and not self.busy and not self._holds
        self._watched = False
        if idle is not None:
            if heard or not listening:
                idle.stop(self)
            if listening:
                idle.start(self)
        if begun is not None:
            if whole or not listening:
                begun.stop(self)  # what is begun now, if anything, is another message
            if listening and self._begun_message:
                begun.start(self)
                self._watched = True

    def _hold(self, why: int) -> None:
        if not self._holds:
            self.transport.pause_reading()
        self._holds |= why
        self._watch()

    def _release(self, why: int) -> None:
        self._holds &= ~why
        if not self._holds and self.reason is None:
            self.transport.resume_reading()
        self._watch()

    def _pace(self, count: int, rate: float) -> None:
        # Each message moves the time at which the next one is due. Who is more than a second
        # ahead is not read until then (the generic cell rate algorithm, ITU-T I.371).
        loop = self.group.loop
        self._next_free = max(self._next_free, loop.time()) + count / rate
        ahead = self._next_free - loop.time() - 1
        if ahead > 0 and self.reason is None:
            self._hold(_RATE)
            loop.call_later(ahead, self._release, _RATE)

    # Sending.

    def message_sent(self, message: Any) -> None:
        """Tell the observers that a message was accepted."""
        if self.connection is not None:
            self.service.record(Sent(time.time(), self.connection.number, message))

    def overflow(self) -> NoReturn:
        """The client takes its messages too slowly: it goes, so that the others don't wait."""
        self.abort(Reason.TOO_SLOW)
        raise ConnectionLost(Reason.TOO_SLOW)

    # Going.

    def ended(self) -> None:
        """No longer one of the clients; its last callback runs when those before it are done."""
        self._watch()
        if self.connection is None:
            self._told = True
            return
        service, number, reason = self.service, self.connection.number, self.reason
        assert reason is not None
        service.registry.remove(number)
        service.changed.set()
        if service.observers:
            service.record(Disconnected(time.time(), number, reason))
        # Not at once: the end may have been decided inside a callback, and callbacks don't nest.
        self.group.loop.call_soon(self._tell)

    def _tell(self) -> None:
        if self.service.on_disconnect is not None:
            self._call(self.service.on_disconnect, iter([self.reason]))
        self._told = True
        self._forget_if_gone()

    def connection_lost(self, exc: BaseException | None) -> None:
        """asyncio: the connection is gone."""
        super().connection_lost(exc)
        self._lost = True
        self._forget_if_gone()

    def _forget_if_gone(self) -> None:
        if self._told and self._lost and not self.busy:
            self.service.open.pop(self, None)
            self.service.changed.set()
