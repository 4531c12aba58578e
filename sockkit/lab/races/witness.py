"""Writes down what each thread did while `frontrun` steered them. Only for the child process.

frontrun decides who may run next, and tells afterwards, as text, who lost. A picture needs more:
which lock, which value, which bytes. So the witness stands beside it and sees the same things:

- memory: frontrun 0.7 gives each thread a function that hears of every access (its access sink);
- locks, queues, events, conditions: frontrun's stand-ins for them, wrapped;
- sockets: `send` and `sendall`, wrapped before frontrun is imported and wraps them itself.

The first two are no public interface of frontrun. They are used here and nowhere else, and
`explorer` refuses a frontrun with another version number. Exactly one thread runs between two
choices of the scheduler, so the order of the events is the order in which things happened.
"""

import _thread
import importlib
import inspect
import reprlib
import socket
import sys
import threading
import types
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

CONTAINERS = (list, dict, set, deque, bytearray)

# Class in frontrun._cooperative, method, what to note before the call, and what after it.
_SYNCHRONIZERS = (
    ("CooperativeLock", "acquire", "wants", "takes"),
    ("CooperativeLock", "release", "frees", ""),
    ("CooperativeRLock", "acquire", "wants", "takes"),
    ("CooperativeRLock", "release", "frees", ""),
    ("CooperativeSemaphore", "acquire", "wants", "takes"),
    ("CooperativeSemaphore", "release", "frees", ""),
    ("CooperativeEvent", "wait", "wants", "sees"),
    ("CooperativeEvent", "set", "sets", ""),
    ("CooperativeCondition", "wait", "wants", "wakes"),
    ("CooperativeCondition", "notify", "notifies", ""),
    ("CooperativeQueue", "get", "wants", "gets"),
    ("CooperativeQueue", "put", "puts", ""),
)


@dataclass(slots=True)
class Event:
    """One thing one thread did to one object."""

    thread: int
    file: str
    line: int
    instruction: tuple[int, int]
    does: str
    owner: Any  # Kept alive by this reference, so that its id stays its own.
    key: str
    value: str = ""
    weak: bool = False  # Only picked up, perhaps to be read by the same line, perhaps not.


class Witness:
    """Collects the events of the execution that is going on; `start` begins the next one."""

    def __init__(self, is_user_code: Callable[[str], bool]) -> None:
        self.events: list[Event] = []
        self._is_user_code = is_user_code
        self._who = threading.local()
        self._written: tuple[Event, types.FrameType] | None = None

    def start(self) -> None:
        """Forget the execution before."""
        self.events = []
        self._written = None

    def finish(self) -> None:
        """The threads are done: the last write has its value now."""
        if self._written is not None:
            event, frame = self._written
            self._written = None
            event.value = _value(event.owner, event.key, frame)

    def note(
        self, does: str, owner: Any, key: str = "", value: str | None = None, weak: bool = False
    ) -> None:
        """Add an event of the running thread; nothing happens in threads that aren't explored.

        Without `value` the value is looked up: now for a read, and at the next event for a write,
        since the scheduler asks before the instruction runs.
        """
        thread = getattr(self._who, "thread", None)
        frame = self._frame()
        if thread is None or frame is None or self._who.scheduler._error is not None:
            return  # Nobody's thread, nobody's code, or frontrun has given up and unwinds it all.
        self.finish()
        where = frame.f_code.co_filename, frame.f_lineno, (id(frame), frame.f_lasti)
        event = Event(thread, *where, does, owner, key, value or "", weak)
        self.events.append(event)
        if value is None:
            if does == "reads":
                event.value = _value(owner, key, frame)
            else:
                self._written = event, frame

    def _frame(self) -> types.FrameType | None:
        """The innermost frame of the code under test."""
        frame: types.FrameType | None = sys._getframe(2)
        while frame is not None and not self._is_user_code(frame.f_code.co_filename):
            frame = frame.f_back
        return frame

    # What follows hooks the witness into frontrun.

    def listen(self) -> None:
        """Hear of everything from now on. Sockets must be wrapped first, see `watch_sockets`."""
        runner: Any = importlib.import_module("frontrun._dpor_runtime.runner")
        shuffler: Any = importlib.import_module("frontrun.bytecode")
        observer: Any = importlib.import_module("frontrun._opcode_observer")
        for module in (runner, shuffler):
            module.set_context = self._knowing_who(module.set_context)
        runner.set_access_sink = self._listening_in(runner.set_access_sink)
        scheduler = shuffler.OpcodeScheduler
        scheduler.wait_for_turn = self._noting_turns(scheduler.wait_for_turn)
        # frontrun lets "is this key in the dict?" and "put a value there" commute, so it would
        # never try them the other way round. They don't: that is the check-then-act race.
        observer._REPORT_DISPATCH["weak_write"] = observer._REPORT_DISPATCH["write"]
        synchronizers = importlib.import_module("frontrun._cooperative")
        for name, method, before, after in _SYNCHRONIZERS:
            kind = getattr(synchronizers, name)
            setattr(kind, method, self._noting_calls(getattr(kind, method), before, after))

    def watch_sockets(self) -> None:
        """Note what is sent. Call it before frontrun is imported.

        A send gives up the interpreter's lock on its way into the kernel. Taking a lock of our own
        while we still have that one keeps the order of the sends the order of the schedule.
        """
        order = _thread.allocate_lock()

        def ordered(send: Callable[..., Any]) -> Callable[..., Any]:
            def method(this: socket.socket, data: Any, *flags: int) -> Any:
                with order:
                    self.note("sends", this, value=show(bytes(data)))
                    return send(this, data, *flags)

            return method

        socket.socket.send = ordered(socket.socket.send)  # type: ignore[method-assign]
        socket.socket.sendall = ordered(socket.socket.sendall)  # type: ignore[method-assign]

    def _knowing_who(self, set_context: Callable[..., None]) -> Callable[..., None]:
        def wrapped(scheduler: Any, thread: int) -> None:
            self._who.thread, self._who.scheduler = thread, scheduler
            set_context(scheduler, thread)

        return wrapped

    def _listening_in(self, set_access_sink: Callable[..., None]) -> Callable[..., None]:
        def wrapped(sink: Callable[..., None] | None) -> None:
            if sink is None:
                self._who.thread = None
                return set_access_sink(None)

            def both(thread: int, owner: Any, name: Any, kind: str, key: int) -> None:
                self._note_access(owner, name, kind)
                sink(thread, owner, name, kind, key)

            return set_access_sink(both)

        return wrapped

    def _note_access(self, owner: Any, name: Any, kind: str) -> None:
        changes = kind in ("write", "weak_write")
        if isinstance(owner, CONTAINERS) and owner is not self._globals():
            self.note("changes" if changes else "reads", owner, weak=kind == "weak_read")
        else:
            self.note("writes" if changes else "reads", owner, str(name))

    def _globals(self) -> dict[str, Any] | None:
        frame = self._frame()
        return frame.f_globals if frame else None

    def _noting_turns(self, wait_for_turn: Callable[..., bool]) -> Callable[..., bool]:
        def wrapped(scheduler: Any, thread: int) -> bool:
            granted = wait_for_turn(scheduler, thread)
            if granted:
                self.note("runs", None, value="")
            return granted

        return wrapped

    def _noting_calls(
        self, call: Callable[..., Any], before: str, after: str
    ) -> Callable[..., Any]:
        def wrapped(this: Any, *args: Any, **kwargs: Any) -> Any:
            self.note(before, this, value=show(args[0]) if before == "puts" else "")
            result = call(this, *args, **kwargs)
            if after and result is not False:
                self.note(after, this, value=show(result) if after == "gets" else "")
            return result

        return wrapped


class _Repr(reprlib.Repr):
    """Short, the same on every run, and never runs a `__repr__` of the code under test."""

    def repr_instance(self, x: Any, level: int) -> str:
        if isinstance(x, bytes | float | bool | None | range):
            return repr(x)[: self.maxother]
        return f"<{type(x).__name__}>"


_repr = _Repr()
_repr.maxstring = _repr.maxother = 40
_repr.maxdict = _repr.maxlist = _repr.maxset = _repr.maxtuple = 6


def show(value: Any) -> str:
    """A value as the picture shows it."""
    return _repr.repr(value)


def _value(owner: Any, key: str, frame: types.FrameType) -> str:
    """What `key` of `owner` holds; a container is shown whole; "" when it can't be told."""
    missing = object()
    value: Any = missing
    if isinstance(owner, types.CodeType):  # A closure's variable: frontrun names its code.
        value = frame.f_locals.get(key, missing) if frame.f_code is owner else missing
    elif owner is frame.f_globals:
        value = owner.get(key, missing)
    elif isinstance(owner, CONTAINERS):
        value = owner
    else:
        value = inspect.getattr_static(owner, key, missing)
        if isinstance(value, types.MemberDescriptorType):  # A slot.
            value = getattr(owner, key, missing)
    return "" if value is missing else show(value)
