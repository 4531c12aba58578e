"""Work that a click asked for, done elsewhere: a click never waits, and nobody waits for a click.

Which thread runs the callback of a widget depends on the kernel, and while it runs no other click
is served. So a callback only puts its work here, and returns.
"""

import threading
from collections import deque
from collections.abc import Callable
from typing import Any

from sockkit.widgets.flusher import outside_cells

Work = tuple[str, Callable[..., Any], tuple[Any, ...]]


class Jobs:
    """Does what it is given in order, on one thread that lives while there is something to do.

    Args:
        name: of the thread.
        done: is told what was done and the exception it raised, or None. Runs on that thread.
    """

    def __init__(self, name: str, done: Callable[[str, Exception | None], None]) -> None:
        self._name = name
        self._done = done
        self._waiting: deque[Work] = deque()
        self._changed = threading.Condition()
        self._working = False

    def submit(self, what: str, function: Callable[..., Any], *args: Any) -> None:
        """Do `function(*args)` soon; `what` says in words what that is. Any thread."""
        with self._changed:
            self._waiting.append((what, function, args))
            if not self._working:
                self._working = True
                run = outside_cells().run
                threading.Thread(
                    target=run, args=(self._run,), name=self._name, daemon=True
                ).start()

    def wait(self, timeout: float | None = None) -> bool:
        """Wait until all is done; False if it is not after `timeout` seconds."""
        with self._changed:
            return self._changed.wait_for(lambda: not self._working, timeout)

    def _run(self) -> None:
        while work := self._next():
            what, function, args = work
            try:
                function(*args)
            except Exception as error:
                self._done(what, error)
            else:
                self._done(what, None)

    def _next(self) -> Work | None:
        with self._changed:
            if self._waiting:
                return self._waiting.popleft()
            self._working = False
            self._changed.notify_all()
            return None
