"""What all clients of one server share: callbacks, bounds, registry, observers, time limits."""

import asyncio
import contextlib
import functools
import inspect
import logging
import threading
from collections.abc import Callable
from typing import Any

from sockkit.channel import Channel
from sockkit.connection import Connection
from sockkit.deadlines import Deadlines
from sockkit.events import Event, Reason
from sockkit.foreign import encoder, sure_decoders
from sockkit.framing import Framing
from sockkit.group import ChannelGroup
from sockkit.interrupts import is_interrupt
from sockkit.limits import Limits
from sockkit.registry import Registry
from sockkit.watch import SlowCallbacks, name_of
from sockkit.workers import Workers

log = logging.getLogger("sockkit")

Callback = Callable[..., object]


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
        for callback in (on_connect, on_message, on_disconnect):
            if callback is not None and not callable(callback):
                raise TypeError(f"a callback is a function; this is {callback!r}")
        self.on_connect = None if on_connect is None else _one_argument(on_connect)
        if on_disconnect is not None and on_disconnect is on_message:
            # One function for both: a channel knows by the object which of the two it calls.
            on_disconnect = functools.update_wrapper(functools.partial(on_disconnect), on_message)
        self.on_message = on_message
        self.on_disconnect = on_disconnect
        self.framing = framing
        self.limits = limits
        self.token = token
        self.encode = encoder(framing)
        self.new_decoder = sure_decoders(framing, limits.max_message)
        self.rate = limits.rate
        # By id, because a callable object need not be hashable.
        self.coroutine_functions = {
            id(callback)
            for callback in (on_message, on_disconnect)
            if inspect.iscoroutinefunction(callback)
        }
        self.registry = Registry()
        self.slow_callbacks = SlowCallbacks()
        self.observers: tuple[Callable[[Event], object], ...] = ()
        self._observing: dict[object, Callable[[Event], object]] = {}
        self._observers_lock = threading.RLock()  # a finalizer may end an observing in between
        self.group: ChannelGroup | None = None  # since the first start
        # In the order of arrival, each until its last callback has returned. A dict for the order.
        self.open: dict[Any, None] = {}

    def begin(self, group: ChannelGroup) -> None:
        """Prepare for the clients of one start."""
        limits, loop = self.limits, group.loop
        self.group = group
        group.observed = bool(self.observers)
        self.changed = asyncio.Event()  # somebody came, has finished a callback, or is gone
        self.idle: Deadlines[Channel] | None = None
        self.begun: Deadlines[Channel] | None = None
        self.workers = Workers(loop)
        if limits.idle_timeout is not None:
            self.idle = Deadlines(loop, limits.idle_timeout, _silent)
        if limits.message_timeout is not None:
            self.begun = Deadlines(loop, limits.message_timeout, _time_out)

    def end(self) -> None:
        """Leave nothing running of what `begin` made."""
        for deadlines in (self.idle, self.begun):
            if deadlines is not None:
                deadlines.close()

    async def until(self, true: Callable[[], bool], end: Callable[[], float]) -> None:
        """Wait until it is true, or the loop's time is `end()`, which may come nearer meanwhile.

        It is asked again whenever `changed` is set.
        """
        changed, loop = self.changed, asyncio.get_running_loop()
        while not true() and loop.time() < end():
            changed.clear()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout_at(end()):
                    await changed.wait()

    def observe(self, callback: Callable[[Event], object]) -> Callable[[], None]:
        """Add an observer; return what removes it. Any thread."""
        key = object()  # the same callback may be there twice

        def remove() -> None:
            with self._observers_lock:
                self._observing.pop(key, None)
                self._observers_changed()

        with self._observers_lock:
            self._observing[key] = callback
            self._observers_changed()
        return remove

    def _observers_changed(self) -> None:
        self.observers = tuple(self._observing.values())
        if self.group is not None:
            self.group.observed = bool(self.observers)
            for channel in self.open.copy():
                channel.limit = 0  # else what is sent in this turn still goes by unseen

    def record(self, event: Event) -> None:
        """Tell the observers. What one of them raises is logged and hurts nobody."""
        for observer in self.observers:
            try:
                observer(event)
            except BaseException as error:  # as of a callback, whatever it is
                if is_interrupt(error):
                    raise
                log.exception("the observer %s failed", name_of(observer))


def _one_argument(on_connect: Callback) -> Callback:
    """`on_connect` in the shape of the other two callbacks, so that all are called alike."""

    @functools.wraps(on_connect)
    def call(connection: Connection, _: None) -> object:
        return on_connect(connection)

    call.__qualname__ = name_of(on_connect)  # a partial, or an object, has none to be copied
    return call


def _silent(channel: Channel) -> None:
    # After a callback that held the loop, many have spoken that nobody has listened to yet: not all
    # are read in one turn, and uvloop looks at its timers first. Reading begins the time afresh.
    if not channel.transport.get_extra_info("due"):
        _time_out(channel)


def _time_out(channel: Channel) -> None:
    channel.end(Reason.TIMED_OUT)
