"""Writes down what each thread did while `frontrun` steered them. Only for the child process.

frontrun decides who may run next, and tells afterwards, as text, who lost. A picture needs more:
which lock, which value, which bytes. So the witness stands beside it; `hooks` shows it everything.
Exactly one thread runs between two choices of the scheduler, so the order of the events is the
order in which things happened.
"""

import functools
import inspect
import reprlib
import sys
import threading
import types
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

CONTAINERS = (list, dict, set, deque, bytearray)


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
    """Collects the events of the execution that is going on; `start` begins the next one.

    Args:
        is_user_code: whether a file holds code under test, and not the machinery around it.
    """

    def __init__(self, is_user_code: Callable[[str], bool]) -> None:
        self.events: list[Event] = []
        self._is_user_code = functools.cache(is_user_code)
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

    def enter(self, thread: int, scheduler: Any) -> None:
        """The running thread is this one of those that are explored, until `leave`."""
        self._who.turn = thread, scheduler

    def leave(self) -> None:
        """The running thread is none of them any more."""
        self._who.turn = None

    def turn(self) -> tuple[int, Any] | None:
        """Which explored thread runs this, under which scheduler; None outside, and at the end."""
        turn: tuple[int, Any] | None = getattr(self._who, "turn", None)
        if turn is None or turn[1]._error is not None:
            return None  # The scheduler has given up, and all threads unwind.
        return turn

    def note(
        self, does: str, owner: Any, key: str = "", value: str | None = None, weak: bool = False
    ) -> None:
        """Add an event of the running thread; nothing happens in threads that aren't explored.

        Without `value` the value is looked up: now for a read, and at the next event for a write,
        since the scheduler asks before the instruction runs.
        """
        turn, frame = self.turn(), self.frame()
        if turn is None or frame is None:
            return
        self.finish()
        where = frame.f_code.co_filename, frame.f_lineno, (id(frame), frame.f_lasti)
        event = Event(turn[0], *where, does, owner, key, value or "", weak)
        self.events.append(event)
        if value is None:
            if does == "reads":
                event.value = _value(owner, key, frame)
            else:
                self._written = event, frame

    def frame(self) -> types.FrameType | None:
        """The innermost frame of the code under test."""
        frame: types.FrameType | None = sys._getframe(1)
        while frame is not None and not self._is_user_code(frame.f_code.co_filename):
            frame = frame.f_back
        return frame


class _Repr(reprlib.Repr):
    """Short, the same on every run, and never runs a `__repr__` of the code under test."""

    def repr_instance(self, x: Any, level: int) -> str:
        if isinstance(x, bytes | bytearray | float | bool | range | None):
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
