"""Which thread or task did what, and in which order: time runs down, each thread has a lane."""

import asyncio
import contextlib
import functools
import inspect
import itertools
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple, TypeVar

from sockkit.text import plain
from sockkit.views import clock
from sockkit.widgets.scene import Scene, SceneView

ROWS = 100
"""Marks in the drawing: the newest."""

_ROW, _TOP, _TIME, _GAP = 24, 40, 100, 230  # pixels: a mark, the heads, the clock, a lane
F = TypeVar("F", bound=Callable[..., Any])


class Mark(NamedTuple):
    """Something that a thread, or a task on it, did."""

    seq: int
    time: float  # seconds since the epoch
    lane: str  # the thread's name, and the task's if there was one
    what: str
    span: int  # marks of the begin and end of the same piece of work share it; 0: a moment
    begins: bool


class ThreadLanes(SceneView):
    """Marks made by any threads and tasks, a lane for each of them, in the order they were made.

    Example:
        lanes = ThreadLanes()
        server = Server(lanes.watch(on_message))     # each call is a bar in its thread's lane
        lanes.mark("the cell goes on")
        lanes
    """

    title = "Which thread or task did what"

    def __init__(self, keep: int = 1_000) -> None:
        super().__init__()
        self._marks: deque[Mark] = deque(maxlen=keep)
        self._numbers = itertools.count(1)
        self._spans = itertools.count(1)
        self._tasks: dict[str, str] = {}  # asyncio's name for a task: ours
        self._seen = 0

    def mark(self, what: str) -> None:
        """Note that the calling thread or task does this now. Any thread; quick."""
        self._add(what, 0, False)

    @contextlib.contextmanager
    def span(self, what: str) -> Iterator[None]:
        """Note when the block begins and when it ends: `with lanes.span("reading"):`."""
        number = next(self._spans)
        self._add(what, number, True)
        try:
            yield
        finally:
            self._add(what, number, False)

    def watch(self, function: F) -> F:
        """The same function, plain or `async`, each call of which is a span with its name."""
        name = getattr(function, "__name__", repr(function))
        if inspect.iscoroutinefunction(function):

            async def waits(*args: Any, **kwargs: Any) -> Any:
                with self.span(name):
                    return await function(*args, **kwargs)

            return functools.wraps(function)(waits)  # type: ignore[return-value]

        @functools.wraps(function)
        def runs(*args: Any, **kwargs: Any) -> Any:
            with self.span(name):
                return function(*args, **kwargs)

        return runs  # type: ignore[return-value]

    def clear(self) -> None:
        """Forget all marks."""
        self._marks.clear()

    def version(self) -> object:
        """The number of the newest mark."""
        return (self._seen, len(self._marks))

    def caption(self) -> str:
        """What it is, and how much of it is missing."""
        left_out = self._seen - len(self._newest())
        return f"{self.title}; {left_out:,} older ones left out" if left_out > 0 else self.title

    def to_text(self) -> str:
        """One line for each mark."""
        lines = [f"{mark.lane}: {_words(mark)}" for mark in self._newest()]
        return "\n".join(lines) or "nothing was marked"

    def scene(self, times: bool = True) -> Scene:
        """A lane for each thread, a row for each mark, a bar for each span."""
        marks = self._newest()
        left = _TIME if times else 12
        xs = {
            lane: left + 20 + i * _GAP
            for i, lane in enumerate(dict.fromkeys(m.lane for m in marks))
        }
        scene = Scene(left + max(len(xs), 2) * _GAP, _TOP + _ROW * max(len(marks), 2) + 8)
        for lane, x in xs.items():
            scene.text(x - 8, 18, plain(lane, 30), "head", group=lane)
            scene.line((x, 26), (x, scene.height), "lane", group=lane)
        _bars(scene, marks, xs)
        for row, mark in enumerate(marks):
            _draw(scene, mark, xs[mark.lane], _TOP + row * _ROW, times)
        return scene

    def _newest(self) -> list[Mark]:
        # list(deque) is one step of the interpreter: no other thread can append meanwhile.
        return list(self._marks)[-ROWS:]

    def _add(self, what: str, span: int, begins: bool) -> None:
        self._seen = number = next(self._numbers)
        self._marks.append(Mark(number, time.time(), self._lane(), plain(what, 60), span, begins))

    def _lane(self) -> str:
        thread = threading.current_thread().name
        try:
            task = asyncio.current_task()
        except RuntimeError:  # no loop runs in this thread
            task = None
        if task is None or _of_the_kernel(task):
            return thread
        name = task.get_name()
        if name.startswith("Task-"):  # asyncio's own numbers differ in each run
            name = self._tasks.setdefault(name, f"task {len(self._tasks) + 1}")
        return f"{thread} · {name}"


def _of_the_kernel(task: "asyncio.Task[Any]") -> bool:
    """Whether this is the task in which Jupyter runs a cell: to its reader, that is the thread."""
    frame = getattr(task.get_coro(), "cr_frame", None)
    module = frame.f_globals.get("__name__", "") if frame else ""
    return module.partition(".")[0] in ("ipykernel", "IPython", "tornado")


def _words(mark: Mark) -> str:
    if not mark.span:
        return mark.what
    return f"{mark.what} {'begins' if mark.begins else 'ends'}"


def _bars(scene: Scene, marks: list[Mark], xs: dict[str, int]) -> None:
    """A bar from the begin to the end of each span; to the edge where one of them is not here."""
    rows = {(mark.span, mark.begins): row for row, mark in enumerate(marks) if mark.span}
    lanes = {mark.span: mark.lane for mark in marks if mark.span}
    for span, lane in lanes.items():
        top = _TOP + rows.get((span, True), -1) * _ROW + 13
        bottom = _TOP + rows.get((span, False), len(marks)) * _ROW + 13
        scene.box(xs[lane] - 5, top, 10, max(bottom - top, 4), "even", group=lane)


def _draw(scene: Scene, mark: Mark, x: int, y: int, times: bool) -> None:
    key = str(mark.seq)
    names: dict[str, Any] = {"key": key, "group": mark.lane}
    scene.box(0, y, scene.width, _ROW, "hit", key=key)
    if times:
        scene.text(4, y + 17, clock(mark.time, 3), "small", **names)
    scene.dot(x, y + 13, "out" if mark.span and not mark.begins else "in", **names)
    scene.text(x + 12, y + 17, plain(_words(mark), 28), "what", **names)
    details = [("what", _words(mark)), ("thread or task", plain(mark.lane))]
    if times:
        details.append(("at", clock(mark.time, 6)))
    scene.details[key] = details
