"""What exercises on threads put at risk: two rooms, and counts that belong to a loop."""

import asyncio
import contextlib
import math
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from sockkit.exercises.interleaved import pause
from sockkit.exercises.shared import Room, SharedDict, SharedLock, SharedSet
from sockkit.exercises.verdict import NotYet
from sockkit.exercises.where import learners_place
from sockkit.text import plain

_PATIENCE = 0.5  # seconds for a loop that may be stopped, or held by the answer


class House:
    """Two rooms, one person in each, and what was seen of the moves.

    Args:
        rooms: their names.
        people: who is in which.
    """

    def __init__(
        self, rooms: Sequence[str] = ("lobby", "garden"), people: Sequence[str] = ("ann", "bob")
    ) -> None:
        self.faults: list[str] = []
        self.people = people
        self.rooms = [self._room(*each) for each in zip(rooms, people, strict=True)]

    def _room(self, name: str, person: str) -> Any:
        lock = SharedLock(f"{name}.lock", self._seen)

        def touched() -> None:
            pause()
            if not lock.is_mine:
                self.faults.append(f"`{name}.people` was touched by one who did not hold its lock.")

        return Room(name=name, lock=lock, people=SharedSet([person], touched))

    def _seen(self) -> None:
        """What somebody sees who now takes both locks."""
        rooms = [vars(room) for room in self.rooms]
        if any(room["lock"].owner for room in rooms):
            return
        for person in self.people:
            found = sum(set.__contains__(room["people"], person) for room in rooms)
            if found != 1:
                where = "both" if found else "no room"
                self.faults.append(f"Both locks were free, and {person} was in {where}.")

    def judge(self, what: str, *expected: list[str]) -> None:
        """Say what is wrong.

        Args:
            what: was done.
            expected: who is now in each room.

        Raises:
            NotYet: something is.
        """
        if self.faults:
            raise NotYet(
                f"{what} {self.faults[0]}",
                "`people` is read and changed under the room's lock, and one move is one step.",
            )
        rooms = [vars(room) for room in self.rooms]
        seen = [sorted(set.copy(room["people"])) for room in rooms]
        if seen != list(expected):
            first, second = (room["name"] for room in rooms)
            raise NotYet(
                f"{what} In the {first} is `{plain(seen[0], 40)}`, "
                f"in the {second} `{plain(seen[1], 40)}`.",
                f"`{expected[0]}` and `{expected[1]}`.",
            )
        for room in rooms:
            if room["lock"].owner:
                raise NotYet(f"{what} `{room['lock'].name}` is still held.", "it is given back.")


class Counts(SharedDict):
    """Counts that belong to one thread, and remember whether it touched them, and who else did."""

    def __init__(self) -> None:
        super().__init__(self._note)
        self.owner: threading.Thread | None = None
        self.owners = self.strangers = False

    def owners_place(self) -> str:
        """The line of the learner's where the thread is that they belong to; or ""."""
        frame = sys._current_frames().get((self.owner and self.owner.ident) or 0)
        return learners_place(frame) if frame else ""

    def _note(self) -> None:
        if threading.current_thread() is self.owner:
            self.owners = True
        else:
            self.strangers = True


@contextlib.contextmanager
def sleeping_loop(
    counts: Counts, failed: Callable[[BaseException], object]
) -> Iterator[asyncio.AbstractEventLoop]:
    """An event loop in a thread, with nothing to do: it sleeps until somebody wakes it.

    Args:
        counts: belong to its thread.
        failed: is told what the functions and coroutines raise that it runs.
    """
    loop = asyncio.new_event_loop()
    # `call_soon` from another thread works by luck, if somebody else wakes the loop: now it raises.
    loop.set_debug(True)
    loop.slow_callback_duration = math.inf  # whether it is slow nobody asks

    def note(loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        if error := context.get("exception"):
            failed(error)

    def note_task(task: asyncio.Task[Any]) -> None:
        if not task.cancelled() and (error := task.exception()):
            failed(error)

    def with_note(loop: asyncio.AbstractEventLoop, coroutine: Any, **options: Any) -> Any:
        task = asyncio.Task(coroutine, loop=loop, **options)
        task.add_done_callback(note_task)
        return task

    loop.set_exception_handler(note)
    loop.set_task_factory(with_note)
    thread = threading.Thread(target=loop.run_forever, name="the loop's thread", daemon=True)
    counts.owner = thread
    runs = threading.Event()
    loop.call_soon(runs.set)
    thread.start()
    runs.wait()
    try:
        yield loop
    finally:
        # A turn later, so that coroutines which were handed over last have begun.
        loop.call_soon_threadsafe(loop.call_soon, loop.stop)
        thread.join(0.5)
        if not thread.is_alive():
            loop.close()


@contextlib.contextmanager
def busy(loop: asyncio.AbstractEventLoop) -> Iterator[None]:
    """The loop of another thread has something to do until the end of this."""
    begun, done = threading.Event(), threading.Event()

    def work() -> None:
        begun.set()
        done.wait()

    loop.call_soon_threadsafe(work)
    begun.wait(_PATIENCE)  # by then it has done what was handed over before
    try:
        yield
    finally:
        done.set()
