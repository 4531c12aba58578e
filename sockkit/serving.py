"""One client on the server's side: its callbacks run in order, and its failures stay its own.

A plain callback runs at once, in the turn of the loop that received the message. What a coroutine
function returns is awaited in a task of this client. While that task works, further messages queue
behind it and the socket is not read: a slow handler slows down only its own client, and TCP passes
that on to the sender.
"""

import asyncio
import inspect
import time
from collections.abc import Awaitable, Iterator
from contextvars import Context, copy_context
from time import perf_counter
from types import CoroutineType
from typing import Any, NoReturn

from sockkit.admission import REFUSED, WELCOME, FirstLineDecoder, is_token
from sockkit.connection import Connection
from sockkit.errors import ConnectionLost, ProtocolError
from sockkit.events import Address, Connected, Disconnected, Reason, Received, Refused, Sent
from sockkit.group import ChannelGroup
from sockkit.interrupts import is_interrupt
from sockkit.listening import LAG, ListeningChannel
from sockkit.service import Callback, Service, log
from sockkit.watch import SLOW, name_of

# Once the server itself has ended a connection for one of these, no more of its messages are
# delivered. Where the peer ended it, what was complete before the end still is.
_NO_MORE_MESSAGES = {
    Reason.KICKED,
    Reason.TOO_SLOW,
    Reason.HANDLER_ERROR,
    Reason.SERVER_STOPPED,
}


# A callback, what is to be called in its name (mostly itself), and with what, one after the other.
_Call = tuple[Callback, Callback, Iterator[Any]]


def _already_called(_: Connection, result: Awaitable[Any]) -> Awaitable[Any]:
    return result


class ServerChannel(ListeningChannel):
    """The channel of one client of a server."""

    __slots__ = (
        "_address",
        "_calls",
        "_since",
        "_told",
        "callback",
        "connection",
        "context",
    )

    def __init__(self, service: Service, group: ChannelGroup, address: Address) -> None:
        decoder = FirstLineDecoder() if service.token else service.new_decoder()
        super().__init__(service, group, decoder)
        # As accepted: of one that is gone again already the system would not tell it any more.
        self._address = address
        self.connection: Connection | None = None  # None until it has been let in
        self.context = copy_context()  # what its callbacks set in context variables is its own
        self.callback: Callback | None = None  # the one that is at work now
        # Calls that wait behind one that is being awaited; None while there is no such one.
        self._calls: list[_Call] | None = None
        self._since = 0.0  # when the callback at work got the loop
        self._told = False  # on_disconnect was called

    # Coming in.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """asyncio: somebody is at the door."""
        super().connection_made(transport)
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
        self.watch(whole=True)  # the time for the token ends, and that for silence begins
        if service.observers:
            service.record(Connected(time.time(), self.connection.number, self._address))
        if service.on_connect is not None:
            self._call(service.on_connect, iter([None]))

    def _refuse(self, why: str, answer: bytes) -> None:
        self._note_refusal(why)
        self.transport.write(answer)
        self.end(Reason.REFUSED)

    def _note_refusal(self, why: str) -> None:
        log.warning("refused a client at %s:%d: %s", *self._address, why)
        self.service.record(Refused(time.time(), self._address, why))

    def _full_notice(self) -> bytes:
        # In the server's own framing, so that the client can read it as a message.
        text = "the server is full"
        for message in (text, text.encode()):
            try:
                return self.encode(message)
            except Exception:  # a framing of neither text nor bytes, in its own words
                continue
        return b""  # closing says it

    def _check_token(self, line: bytes, rest: bytes) -> None:
        if not is_token(line, self.service.token or ""):
            self._refuse("wrong token", REFUSED)
            return
        self.decoder = self.service.new_decoder()
        self.received = self.received_bytes = 0
        self.transport.write(WELCOME)
        self._let_in()
        if rest and self.reason is None:
            self.data_received(rest)

    # Messages.

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
                self.hold(LAG)
            self._call(service.on_message, iter(messages))
        if self.watched or service.idle is not None or self.decoder.buffered:
            self.watch(heard=True, whole=True)
        if service.rate is not None:
            self.pace(len(messages), service.rate)

    def protocol_fault(self, fault: ProtocolError) -> None:
        """End this client; no other notices."""
        if self.connection is None:
            self._refuse("no token", REFUSED)
        else:
            log.info("client %d: %s", self.connection.number, fault)
            if self.busy:
                self.hold(LAG)  # what it sends until the callbacks are done is of no use
            self._call(self._end_after_callbacks, iter([Reason.PROTOCOL_ERROR]))

    def peer_closed(self) -> None:
        """FIN: finish the callbacks and the replies, then close."""
        if self.busy:
            self._call(self._end_after_callbacks, iter([Reason.CLOSED]))
        else:
            self.end(Reason.CLOSED)

    def _end_after_callbacks(self, connection: Connection, reason: Reason) -> None:
        self.end(reason)

    # Callbacks, in order.

    def _call(self, callback: Callback, arguments: Iterator[Any]) -> None:
        """Run `callback(connection, argument)` for each argument, now or in its turn."""
        if self._calls is not None:
            self._calls.append((callback, callback, arguments))
            return
        if id(callback) in self.service.coroutine_functions:
            self._leave_to_worker(callback, arguments)
            return
        self.callback = callback
        self._since = perf_counter()
        try:
            first = self.context.run(self._call_plain, callback, arguments)
            if first is not None:
                self._leave_to_worker(callback, arguments, first)
        except BaseException as error:
            if is_interrupt(error):
                raise
            self._callback_failed(callback, error)
        if perf_counter() - self._since > SLOW:
            self.step_ended()

    def _call_plain(self, callback: Callback, arguments: Iterator[Any]) -> Awaitable[Any] | None:
        # The loop that every message of a plain handler passes: whatever can be done once for all
        # messages of a receive is done outside it. A decision made for speed.
        connection = self.connection
        for argument in arguments:
            result = callback(connection, argument)
            if result is not None and inspect.isawaitable(result):
                return result  # plain by its looks, but what it returned wants to be awaited
            if self.reason is not None and self.reason in _NO_MORE_MESSAGES:
                break
        return None

    def _leave_to_worker(
        self, callback: Callback, arguments: Iterator[Any], first: Awaitable[Any] | None = None
    ) -> None:
        self._calls = [(callback, callback, arguments)]
        if first is not None:
            self._calls.insert(0, (callback, _already_called, iter([first])))
        self.service.workers.take(self)

    async def work(self) -> None:
        """Run the calls that wait, in order, until there are none. For a worker."""
        calls, connection = self._calls, self.connection
        assert calls is not None
        self._since = perf_counter()
        try:
            while calls:
                # Of few: while one is awaited, none is read.
                self.callback, call, arguments = calls.pop(0)
                for argument in arguments:
                    if self.reason is not None and not self._wanted(self.callback, call):
                        break
                    try:
                        result = call(connection, argument)
                        if type(result) is CoroutineType or inspect.isawaitable(result):
                            await result
                    except BaseException as error:
                        # Also when stop() cancels it: this callback is over, but the calls that
                        # wait hold the news of the end, and everybody gets that.
                        if is_interrupt(error) or isinstance(error, GeneratorExit):
                            raise
                        self._callback_failed(self.callback, error)
        finally:  # also when Ctrl-C gets in between
            self._calls = None
        if perf_counter() - self._since > SLOW:
            self.step_ended()
        self.service.changed.set()
        if self.holds or self.service.idle is not None or self.begun_message:
            self.release(LAG)
        if self.lost:
            self._forget_if_gone()

    @property
    def busy(self) -> bool:
        """Whether one of its callbacks is being awaited, or waits for its turn."""
        return self._calls is not None

    def _wanted(self, callback: Callback, call: Callback) -> bool:
        # Of what was called already, the rest is awaited: else Python warns that nobody did.
        message = callback is self.service.on_message and call is not _already_called
        return self.reason not in _NO_MORE_MESSAGES or not message

    def _callback_failed(self, callback: Callback, error: BaseException) -> None:
        number = self.connection.number if self.connection else 0
        if isinstance(error, asyncio.CancelledError) and self.reason and _is_cancelled():
            log.warning("%s was still busy with client %d: cancelled", name_of(callback), number)
            return
        if isinstance(error, ConnectionLost) and self.reason is not None:
            # It spoke to a client that had just gone, which is nobody's mistake.
            log.info("%s: client %d is gone: %s", name_of(callback), number, self.reason)
            return
        log.error("%s failed for client %d", name_of(callback), number, exc_info=error)
        self.end(Reason.HANDLER_ERROR)

    def step_began(self) -> None:
        """A callback has the loop to itself, from now on."""
        self._since = perf_counter()

    def step_ended(self) -> None:
        """The callback has given the loop back. Tells if it held it for too long."""
        held = perf_counter() - self._since
        if held > self.service.slow_callbacks.limit and self.callback and self.connection:
            self.service.slow_callbacks.tell(self.callback, self.connection.number, held)

    # Sending.

    def message_sent(self, message: Any) -> None:
        """Tell the observers that a message was accepted."""
        assert self.connection is not None
        self.service.record(Sent(time.time(), self.connection.number, message))

    def overflow(self) -> NoReturn:
        """The client takes its messages too slowly: it goes, so that the others don't wait."""
        self.abort(Reason.TOO_SLOW)
        raise ConnectionLost(Reason.TOO_SLOW)

    # Going.

    def ended(self) -> None:
        """No longer one of the clients; its last callback runs when those before it are done."""
        self.watch()
        if self.connection is None:
            self._told = True
            if self.reason is Reason.TIMED_OUT:
                self._note_refusal("no token in time")
            return
        service, number, reason = self.service, self.connection.number, self.reason
        assert reason is not None
        service.registry.remove(number)
        service.changed.set()
        if service.observers:
            service.record(Disconnected(time.time(), number, reason))
        if service.on_disconnect is None:
            self._told = True
        else:
            # Not at once: the end may have been decided in a callback, and callbacks don't nest.
            self.group.loop.call_soon(self._tell, service.on_disconnect)

    def _tell(self, on_disconnect: Callback) -> None:
        self._call(on_disconnect, iter([self.reason]))
        self._told = True
        self._forget_if_gone()

    def connection_lost(self, exc: BaseException | None) -> None:
        """asyncio: the connection is gone."""
        super().connection_lost(exc)
        self._forget_if_gone()

    def _forget_if_gone(self) -> None:
        if self._told and self.lost and not self.busy:
            self.service.open.pop(self, None)
            self.service.changed.set()
            # The two hold each other, and a context in which a callback kept the connection holds
            # both: no collector has to come.
            self.connection = None
            self.context = Context()


def _is_cancelled() -> bool:
    """Whether stop() has run out of patience with the running task."""
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0
