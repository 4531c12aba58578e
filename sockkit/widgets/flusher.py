"""The one thread that writes to the page, fifteen times a second, while something is on the page.

Sockets speak thousands of times a second, a page bears a few messages. So nobody else sends: views
say what they would show, and this thread asks them. One writer also means that no widget is changed
by two threads. The thread starts with the first view and ends with the last.
"""

import contextvars
import logging
import threading
import time
import weakref
from typing import Any, Protocol

RATE = 15
"""Looks a second. The eye wants about ten; Jupyter's server drops beyond a thousand messages."""

_SHARE = 0.05  # of the processor's time: a view that takes long is asked less often
_LONGEST = 1.0  # seconds between two looks, however long one takes


class Flushable(Protocol):
    """What can be on the page."""

    def flush(self) -> None:
        """Show what is true now. Runs on the flusher's thread."""


class Flusher:
    """Asks every view on the page to show what is true now. Holds the views weakly."""

    def __init__(self, rate: float = RATE) -> None:
        self._pause = 1 / rate
        self._lock = threading.Lock()
        self._flushing = threading.RLock()
        self._due: weakref.WeakKeyDictionary[Flushable, float] = weakref.WeakKeyDictionary()
        self._end = threading.Event()
        self._thread: threading.Thread | None = None

    def add(self, view: Flushable) -> None:
        """Begin to flush this view. Any thread."""
        with self._lock:
            self._due[view] = 0.0
            if self._thread is None:
                self._end = threading.Event()
                run = outside_cells().run
                self._thread = threading.Thread(
                    target=run, args=(self._run, self._end), name="sockkit-page", daemon=True
                )
                self._thread.start()

    def remove(self, view: Flushable) -> None:
        """No more flushes of this view: none is under way when this returns.

        If it was the last view, the thread is gone as well.
        """
        with self._flushing, self._lock:
            self._due.pop(view, None)
            thread = self._forget_if_idle()
        if thread not in (None, threading.current_thread()):
            thread.join(timeout=5.0)

    @property
    def running(self) -> bool:
        """Whether there is a thread now."""
        return self._thread is not None

    def _forget_if_idle(self) -> Any:
        if self._due or self._thread is None:
            return None
        thread, self._thread = self._thread, None
        self._end.set()
        return thread

    def _run(self, end: threading.Event) -> None:
        while not end.wait(self._pause):
            with self._lock:
                views = list(self._due.items())
                if not views and self._end is end:
                    self._forget_if_idle()  # the views were garbage; nobody said goodbye
            for view, due in views:
                if time.monotonic() >= due:
                    self._flush(view)
            del views  # or the last view of a round would live until the next one
            view = None  # type: ignore[assignment]

    def _flush(self, view: Flushable) -> None:
        with self._flushing:
            if view not in self._due:
                return  # it was removed while others were flushed
            # Its own time alone: a busy machine is no reason to show less, for long after.
            began = time.thread_time()
            try:
                view.flush()
            except Exception:
                logging.getLogger("sockkit.widgets").exception("%r could not be shown", type(view))
            took = time.thread_time() - began
            self._due[view] = time.monotonic() + min(took / _SHARE, _LONGEST)


def outside_cells() -> contextvars.Context:
    """A copy of this context in which no cell is running, for whatever sends to the page.

    ipykernel 7.4 answers a widget on the thread that last sent for it: sent as part of a cell, its
    clicks wait until no cell runs. Sent outside of cells, they go to the thread that Jupyter keeps
    for widgets, and work while a cell sleeps. Older kernels have no such variable: nothing changes.
    """
    context = contextvars.copy_context()
    for variable in context:
        if variable.name == "shell_parent":
            context.run(variable.set, {})
    return context


page = Flusher()
"""The flusher of this process."""
