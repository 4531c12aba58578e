"""What a check hands to threads that it interleaves: each access is a stop, and locks tell."""

import functools
import threading
from collections.abc import Callable, Iterable, Iterator, KeysView
from types import TracebackType
from typing import Any, Self, TypeVar

from sockkit.exercises.interleaved import Actor, pause

C = TypeVar("C")


class Shared:
    """An object whose attributes can be read and written; other threads may come before each."""

    def __init__(self, **attributes: Any) -> None:
        self.__dict__.update(attributes)

    def __getattribute__(self, name: str) -> Any:
        if not name.startswith("_"):
            pause()
        return super().__getattribute__(name)

    def __setattr__(self, name: str, value: Any) -> None:
        pause()
        super().__setattr__(name, value)


class Room(Shared):
    """The same, under the name that the page gives it: messages of Python's own show it."""

    def __repr__(self) -> str:
        return "<the room>"


def _touched_before(*names: str) -> Callable[[type[C]], type[C]]:
    """These methods are as in the class above, and call `_touched` first."""

    def touched(method: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(method)
        def touching(self: Any, *args: Any, **kwargs: Any) -> Any:
            self._touched()
            return method(self, *args, **kwargs)

        return touching

    def decorate(kind: type[C]) -> type[C]:
        for name in names:
            setattr(kind, name, touched(getattr(kind, name)))
        return kind

    return decorate


@_touched_before(
    *("__getitem__", "__setitem__", "__delitem__", "__contains__", "__len__", "__repr__"),
    *("__eq__", "__ne__", "__or__", "__ror__", "__ior__", "__reversed__"),
    *("get", "pop", "popitem", "setdefault", "update", "clear", "copy"),
)
class SharedDict(dict[Any, Any]):
    """A dict; other threads may come before each access, and between two steps through it.

    Args:
        touched: is called before each access, in the thread that makes it.
    """

    def __init__(self, touched: Callable[[], object] = pause) -> None:
        super().__init__()
        self._touched = touched

    def __iter__(self) -> Iterator[Any]:
        self._touched()
        for key in super().__iter__():
            yield key
            self._touched()

    def keys(self) -> Any:
        """As in a dict, but with stops between the keys."""
        return KeysView(self)

    def values(self) -> Any:
        """As in a dict, but with stops between the values."""
        return [dict.__getitem__(self, key) for key in self]

    def items(self) -> Any:
        """As in a dict, but with stops between the items."""
        return [(key, dict.__getitem__(self, key)) for key in self]

    def copy(self) -> dict[Any, Any]:
        """A plain dict, made in one step."""
        return dict(super().items())


class SharedLock:
    """A lock that knows who has it, and tells who waits for it.

    Args:
        name: what it is called in a sentence.
        freed: is called whenever it has been released.
    """

    def __init__(self, name: str, freed: Callable[[], object] = lambda: None) -> None:
        self.name = name
        self.owner: threading.Thread | None = None
        self._freed = freed

    def acquire(self, blocking: bool = True, timeout: float = -1) -> bool:
        """As of `threading.Lock`; a wait with a time limit is over when nobody can get on."""
        pause()
        thread = threading.current_thread()
        if isinstance(thread, Actor):
            waits = blocking and timeout != 0
            if self.owner and not (waits and thread.wait_for(self, for_ever=timeout < 0)):
                thread.failed(self)
                return False
        elif self.owner and (not blocking or timeout >= 0):
            return False
        elif self.owner is thread:
            raise RuntimeError(f"you wait for {self.name}, which you hold yourself: for ever")
        self.owner = thread
        return True

    def release(self) -> None:
        """As of `threading.Lock`."""
        if self.owner is None:
            raise RuntimeError("release unlocked lock")
        self.owner = None
        self._freed()
        pause()

    def locked(self) -> bool:
        """As of `threading.Lock`. Who asks so again and again, tries to get it."""
        pause()
        thread = threading.current_thread()
        if self.owner and isinstance(thread, Actor):
            thread.failed(self)
        return self.owner is not None

    @property
    def is_mine(self) -> bool:
        """Whether the calling thread has it."""
        return self.owner is threading.current_thread()

    def __enter__(self) -> Self:
        self.acquire()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.release()


@_touched_before(
    *("__contains__", "__iter__", "__len__", "__repr__", "__eq__", "__ne__"),
    *("__le__", "__lt__", "__ge__", "__gt__", "issubset", "issuperset", "isdisjoint"),
    *("__or__", "__and__", "__sub__", "__xor__", "__ror__", "__rand__", "__rsub__", "__rxor__"),
    *("union", "intersection", "difference", "symmetric_difference", "copy"),
    *("__ior__", "__iand__", "__isub__", "__ixor__", "add", "remove", "discard", "pop", "clear"),
    *("update", "intersection_update", "difference_update", "symmetric_difference_update"),
)
class SharedSet(set[Any]):
    """A set; other threads may come before each access.

    Args:
        touched: is called before each access, in the thread that makes it.
    """

    def __init__(self, members: Iterable[Any], touched: Callable[[], object] = pause) -> None:
        super().__init__(members)
        self._touched = touched
