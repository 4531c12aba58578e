"""What exercises on threads put at risk: two rooms, and counts that belong to a loop."""

import asyncio
import contextlib
import threading
from collections.abc import Callable, Iterator
from typing import Any

from sockkit.exercises.interleaved import pause
from sockkit.exercises.shared import Room, SharedDict, SharedLock, SharedSet
from sockkit.exercises.verdict import NotYet
from sockkit.text import plain


class House:
    """Two rooms, one person in each, and what was seen of the moves."""

    def __init__(self) -> None:
        self.faults: list[str] = []
        self.lobby, self.garden = self._room("lobby", "ann"), self._room("garden", "bob")

    def _room(self, name: str, person: str) -> Any:
        lock = SharedLock(f"{name}.lock", self._seen)

        def touched() -> None:
            pause()
            if not lock.is_mine:
                self.faults.append(f"`{name}.people` was touched by one who did not hold its lock.")

        return Room(name=name, lock=lock, people=SharedSet([person], touched))

    def _seen(self) -> None:
        """What somebody sees who now takes both locks."""
        rooms = [vars(self.lobby), vars(self.garden)]
        if any(room["lock"].owner for room in rooms):
            return
        for person in ("ann", "bob"):
            found = sum(set.__contains__(room["people"], person) for room in rooms)
            if found != 1:
                where = "both" if found else "no room"
                self.faults.append(f"Both locks were free, and {person} was in {where}.")

    def judge(self, what: str, lobby: list[str], garden: list[str]) -> None:
        """Say what is wrong.

        Raises:
            NotYet: something is.
        """
        if self.faults:
            raise NotYet(
                f"{what} {self.faults[0]}",
                "`people` is changed under the lock of its room, and one move is one step.",
            )
        seen = [sorted(set.copy(vars(room)["people"])) for room in (self.lobby, self.garden)]
        if seen != [sorted(lobby), sorted(garden)]:
            raise NotYet(
                f"{what} In the lobby is `{plain(seen[0], 40)}`, "
                f"in the garden `{plain(seen[1], 40)}`.",
                f"`{sorted(lobby)}` and `{sorted(garden)}`.",
            )
        for room in (self.lobby, self.garden):
            if vars(room)["lock"].owner:
                raise NotYet(
                    f"{what} `{vars(room)['lock'].name}` is still held.", "it is given back."
                )


class Counts(SharedDict):
    """Counts that belong to one thread, and remember who else touched them."""

    def __init__(self) -> None:
        super().__init__(self._note)
        self.owner: threading.Thread | None = None
        self.strangers = False

    def _note(self) -> None:
        if threading.current_thread() is not self.owner:
            self.strangers = True


@contextlib.contextmanager
def sleeping_loop(
    counts: Counts, failed: Callable[[BaseException], object]
) -> Iterator[asyncio.AbstractEventLoop]:
    """An event loop in a thread, with nothing to do: it sleeps until somebody wakes it.

    Args:
        counts: belong to its thread.
        failed: is told what the functions raise that it runs.
    """
    loop = asyncio.new_event_loop()

    def note(loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        if error := context.get("exception"):
            failed(error)

    loop.set_exception_handler(note)
    thread = threading.Thread(target=loop.run_forever, name="the loop's thread", daemon=True)
    counts.owner = thread
    thread.start()
    try:
        yield loop
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join(0.5)
        if not thread.is_alive():
            loop.close()
