"""What a check works with: calls of the answer, partners to talk to it, and the time that is left.

A check is a plain function that runs in a thread of its own. Whatever it starts through its `Trial`
is ended and closed for it, whichever way it ends.
"""

import contextlib
import select
import socket
import threading
import time
from collections.abc import Callable
from typing import Any, Protocol, TypeVar

from sockkit.exercises.calls import Call, OwnThread, Place, patiently
from sockkit.exercises.host import Host
from sockkit.exercises.leftovers import Before, kill, wake
from sockkit.exercises.partner import Partner
from sockkit.exercises.running import Failed, Running, Stopped
from sockkit.exercises.verdict import NotYet

_SLICE = 0.05  # seconds between two looks at a server that starts
_LOOK = 0.002  # seconds between two looks at what is waited for
_LAST_STEPS = 0.1  # seconds for a call to return that has just done its work
_PAUSE = 0.5  # seconds of silence, which is not the end
_LONGEST = 2.0  # seconds of a timeout that the silence can outlast, and by how many:
_LONGER = 0.2
_LAST_WORD = 0.2  # seconds in which what an ended call has sent may still arrive


class Closable(Protocol):
    """Anything with a `close` method."""

    def close(self) -> object:
        """Close it."""


T = TypeVar("T", bound=Closable)


class Trial:
    """One check at work. Only the check's own thread uses it.

    Args:
        place: where calls are made.
        before: what was open when the check began.
        seconds: the check has in all.
    """

    def __init__(self, place: Place, before: Before, seconds: float) -> None:
        self.stopping = threading.Event()
        self.waited_in_vain = False  # the last wait for the answer's bytes, or for its connection
        self.wire: list[str] = []
        self.begun: list[Running] = []
        self._place = place
        self._before = before
        self._deadline = time.monotonic() + seconds
        self._owned: list[Closable] = []
        self._outlasted = 0.0  # the longest timeout so far

    # The answer.

    def call(self, function: Callable[..., Any], *args: Any, within: float = 2.0) -> Any:
        """Call the learner's code, wait, and return its result; a coroutine is awaited.

        Raises:
            NotYet: it does not return within `within` seconds.
        """
        return self.start(function, *args).result(within)

    def start(self, function: Callable[..., Any], *args: Any) -> Running:
        """Begin to call the learner's code. Calls are made one after another."""
        return self._begin(Call(function, args, in_loop=False), self._place)

    def start_in_loop(self, function: Callable[..., Any], *args: Any) -> Running:
        """The same inside a running event loop, for what makes tasks or futures when called."""
        return self._begin(Call(function, args, in_loop=True), self._place)

    def start_beside(self, function: Callable[..., Any], *args: Any) -> Running:
        """The same in a thread of its own, beside other calls. Its end is less certain."""
        return self._begin(Call(function, args, in_loop=False), OwnThread())

    def serve(self, **options: Any) -> Host:
        """Run an `AsyncServer` with callbacks of the answer, given as `on_message=` and the like.

        It is one long call: until the end of the check, no other call gets its turn.

        Raises:
            NotYet: it does not start.
        """

        def failed(name: str, error: BaseException) -> None:
            if running.call.error is None and not running.call.ending:
                running.call.failed_in, running.call.error = name, error

        host = self.own(Host(failed, options))
        running = host.running = self.start_in_loop(host.serve)
        running.call.name = host.name
        while not host.listening.wait(_SLICE):
            if self.hopeless():
                raise Failed
        return host

    def _begin(self, call: Call, place: Place) -> Running:
        running = Running(self, call, place)
        self.begun.append(running)
        place.begin(call)
        return running

    # The network.

    def pair(self, name: str = "", room: int | None = None) -> tuple[Partner, socket.socket]:
        """Both ends of a TCP connection: the check's, and a plain blocking one for the answer.

        Args:
            name: of the check's end.
            room: bytes of the kernel's buffers from the answer to the check, instead of the usual.
        """
        with socket.create_server(("127.0.0.1", 0)) as listener:
            if room is not None:  # before it connects: TCP takes back no window that it has offered
                listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, room)
            listener.setblocking(True)  # whatever timeout the answer has set for all new sockets
            theirs = self.own(socket.create_connection(listener.getsockname(), timeout=None))
            mine, _ = listener.accept()
        if room is not None:
            theirs.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, room)
        return self._partner(mine, name), theirs

    def connect(self, address: tuple[str, int], name: str = "", within: float = 1.0) -> Partner:
        """Connect to the answer's server.

        Raises:
            NotYet: nobody listens there.
        """
        try:
            sock = socket.create_connection(address, timeout=self.left(within))
        except OSError as error:
            saw = f"I could not connect to your server: {error}."
            raise NotYet(saw, "it listens, and accepts me.") from None
        return self._partner(sock, name)

    def listen(self) -> "Listener":
        """A server of the check's own, for answers that are clients."""
        return Listener(self)

    def _partner(self, sock: socket.socket, name: str) -> Partner:
        return self.own(Partner(sock, self, self.wire.append, name))

    def own(self, thing: T) -> T:
        """Have this closed when the check is over, and not counted as left open."""
        self._owned.append(thing)
        return thing

    # The time.

    def left(self, within: float) -> float:
        """Seconds of `within` that the check can still afford.

        Raises:
            Stopped: none at all.
        """
        left = self._deadline - time.monotonic()
        if left <= 0 or self.stopping.is_set() or getattr(self._place, "interrupted", False):
            raise Stopped
        return min(within, left)

    def wait(self, condition: Callable[[], bool], within: float = 1.0) -> bool:
        """Wait until this is so, for as long as that makes sense; whether it is.

        On a busy machine, for longer than `within` seconds: see `patiently`.
        """
        true = False

        def over() -> bool:
            nonlocal true
            true = condition()
            return true or self.hopeless()

        patiently(over, self.left(within), _LOOK)
        return true

    def wait_until_read(self, sock: socket.socket) -> None:
        """Wait until the answer has read all that came on this socket, or has closed it."""
        self.wait(lambda: _is_read(sock))

    def silence(self) -> float:
        """Seconds to say nothing, to see whether the answer takes that for the end.

        Longer than any timeout that it has set on a socket, if that is short enough for the check;
        but not for the same timeout again.
        """
        found = (sock.gettimeout() or 0.0 for sock in self._before.new_sockets())
        timeout = max((seconds for seconds in found if seconds <= _LONGEST), default=0.0)
        if timeout <= self._outlasted:
            return _PAUSE
        self._outlasted = timeout
        return max(_PAUSE, timeout + _LONGER)

    def hopeless(self) -> bool:
        """Whether waiting is in vain: the answer failed, or ended with no thread at work."""
        self.left(0)
        for running in self.begun:
            running.call.watch()
        if any(running.call.error and not running.judged for running in self.begun):
            return True
        return all(running.ended_before(_LAST_WORD) for running in self.begun) and not [
            thread
            for thread in self._before.new_threads()
            if thread is not threading.current_thread()
        ]

    # The end.

    def end_calls(self) -> None:
        """End the calls that still run, as far as that is possible."""
        deadline = time.monotonic() + _LAST_STEPS
        for running in self.begun:
            running.call.done.wait(max(0.0, deadline - time.monotonic()))
            running.forced = running.call.ending = not running.call.done.is_set()
        for running in self.begun:
            if running.forced:
                running.place_at_end = running.call.place()
                running.place.end(running.call, self._wake)

    def is_ending(self) -> bool:
        """Whether a call is being ended, or was: what it complains of then is the check's doing."""
        return any(running.forced for running in self.begun)

    def close(self) -> None:
        """Close all that the check owns. The wire trace ends before."""
        self.wire = list(self.wire)
        for thing in self._owned:
            if isinstance(thing, socket.socket):
                wake(thing)  # a thread may wait in `accept`, which close does not end
            with contextlib.suppress(OSError):
                thing.close()

    def _wake(self) -> None:
        for sock in self._before.new_sockets():
            wake(sock)
        kill(self._before.new_children())


class Listener:
    """A listening socket of the check, for answers that connect to it."""

    def __init__(self, trial: Trial) -> None:
        self._trial = trial
        self._socket = trial.own(socket.create_server(("127.0.0.1", 0)))
        self._socket.setblocking(False)
        self.address: tuple[str, int] = self._socket.getsockname()

    def accept(self, name: str = "", within: float = 1.0) -> Partner:
        """The next connection that the answer makes.

        Raises:
            NotYet: it makes none.
        """
        deadline = time.monotonic() + self._trial.left(within)
        while True:
            try:
                sock, _ = self._socket.accept()
            except BlockingIOError:
                self._trial.waited_in_vain = time.monotonic() > deadline
                if self._trial.waited_in_vain or self._trial.hopeless():
                    raise NotYet("Nobody connected to me.", "your code connects.") from None
                time.sleep(0.005)
            else:
                return self._trial._partner(sock, name)


def _is_read(sock: socket.socket) -> bool:
    try:
        return not select.select([sock], [], [], 0)[0]
    except (OSError, ValueError):  # closed, perhaps just now
        return True
