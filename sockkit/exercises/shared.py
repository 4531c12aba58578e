"""What a check hands to threads that it interleaves: each access is a stop, and locks tell."""

import threading
from collections.abc import Callable, Iterable, Iterator
from types import TracebackType
from typing import Any, Self

from sockkit.exercises.interleaved import Actor, pause


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


class SharedDict(dict[Any, Any]):
    """A dict; other threads may come before each access, and between two steps through it.

    Args:
        touched: is called before each access, in the thread that makes it.
    """

    def __init__(self, touched: Callable[[], object] = pause) -> None:
        super().__init__()
        self._touched = touched

    def __getitem__(self, key: Any) -> Any:
        self._touched()
        return super().__getitem__(key)

    def __setitem__(self, key: Any, value: Any) -> None:
        self._touched()
        super().__setitem__(key, value)

    def __delitem__(self, key: Any) -> None:
        self._touched()
        super().__delitem__(key)

    def __contains__(self, key: object) -> bool:
        self._touched()
        return super().__contains__(key)

    def __len__(self) -> int:
        self._touched()
        return super().__len__()

    def __iter__(self) -> Iterator[Any]:
        for key in super().__iter__():
            self._touched()
            yield key

    def get(self, key: Any, default: Any = None) -> Any:
        """As in a dict."""
        self._touched()
        return super().get(key, default)

    def pop(self, *args: Any) -> Any:
        """As in a dict."""
        self._touched()
        return super().pop(*args)

    def setdefault(self, key: Any, default: Any = None) -> Any:
        """As in a dict."""
        self._touched()
        return super().setdefault(key, default)

    def update(self, *args: Any, **kwargs: Any) -> None:
        """As in a dict."""
        self._touched()
        super().update(*args, **kwargs)

    def items(self) -> Any:
        """As in a dict, but with stops between the items."""
        return [(key, dict.__getitem__(self, key)) for key in self]

    def copy(self) -> dict[Any, Any]:
        """A plain dict, made in one step."""
        self._touched()
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
        """As of `threading.Lock`; a wait with a time limit gives up at once."""
        pause()
        thread = threading.current_thread()
        if self.owner is not None and (not blocking or timeout >= 0):
            return False
        if isinstance(thread, Actor):
            thread.wait_for(self)
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
        """As of `threading.Lock`."""
        pause()
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


class SharedSet(set[Any]):
    """A set; other threads may come before each access.

    Args:
        touched: is called before each access, in the thread that makes it.
    """

    def __init__(self, members: Iterable[Any], touched: Callable[[], object] = pause) -> None:
        super().__init__(members)
        self._touched = touched

    def add(self, member: Any) -> None:
        """As of a set."""
        self._touched()
        super().add(member)

    def remove(self, member: Any) -> None:
        """As of a set."""
        self._touched()
        super().remove(member)

    def discard(self, member: Any) -> None:
        """As of a set."""
        self._touched()
        super().discard(member)

    def __contains__(self, member: object) -> bool:
        self._touched()
        return super().__contains__(member)
