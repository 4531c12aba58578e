"""Threads of which one goes on at a time, as a check decides: every race comes out the same.

`sockkit.lab.races` explores more, in a process of its own, and not on every platform. A check has
less time and runs everywhere, so here are real threads that meet at what the check hands to them:
`Shared` objects, whose every access is a stop. `schedules` says who goes on to which stop.
Nothing is patched or traced.

A thread that waits for a lock of the learner's own can't be seen to wait. It is taken for waiting
once it has come to no stop for a moment. If it was only slow, the schedule is another one, and just
as possible: a right answer is right in that one, too.
"""

import sys
import threading
import time
from collections.abc import Callable, Sequence
from typing import Any, Protocol

from sockkit.exercises.held import free_all
from sockkit.exercises.trial import Trial
from sockkit.exercises.where import learners_place

_PATIENCE = 0.05  # seconds without a stop, from which a thread is taken for waiting
_FOR_EVER = 2.0  # seconds in which no thread gets on, from which they wait for ever
_LAST_STEPS = 0.5  # seconds in which threads that are woken come to their ends
STEPS = 300  # in one turn
_MORE = 7  # steps at most in a turn, after what was tried in vain
_IN_VAIN = 300  # tries, of all threads, from which they try for ever


class Waited(Protocol):
    """What an actor can wait for, and say so."""

    name: str
    owner: threading.Thread | None
    """Who has it."""


class Abandoned(SystemExit):
    """Raised in a thread that nobody needs any more."""


class Actor(threading.Thread):
    """One of the threads of `Turns`, which says when it may go on."""

    def __init__(self, turns: "Turns", name: str, function: Callable[[], Any]) -> None:
        super().__init__(name=name, daemon=True)
        self.steps = 0
        self.done = False
        self.stopped = False
        self.error: BaseException | None = None
        self.place = ""  # of its last stop, in the learner's code
        self.waits: Waited | None = None  # for what, if it can tell
        self.wants: Waited | None = None  # what it has tried to get, and did not wait for
        self.may_give_up = self.gives_up = False  # a wait with a time limit; its time is over
        self._turns = turns
        self._function = function

    def run(self) -> None:
        """The function, once it gets its first turn."""
        try:
            self._turns.stop(self)
            self._function()
        except Abandoned:
            pass
        except BaseException as error:
            self.error = error
        finally:
            self._turns.leave(self)

    def pause(self) -> None:
        """Another thread may go on here."""
        if not self._turns.may_step(self):
            self.place = learners_place(sys._getframe(1))
            self._turns.stop(self)
            self._turns.may_step(self)
        self.steps += 1

    def wait_for(self, what: Waited, for_ever: bool = True) -> bool:
        """Let others go on until nobody has it, or until they can't; whether nobody has it."""
        self.may_give_up, self.gives_up = not for_ever, False
        while what.owner is not None and not self.gives_up:
            self.waits = what
            self._turns.stop(self)
        self.waits, self.may_give_up = None, False
        return what.owner is None

    def failed(self, what: Waited) -> None:
        """It could not get this, and does not wait."""
        self.wants = what
        self._turns.failed(self)

    def waits_for_somebody(self) -> bool:
        """Whether what it waits for is still taken, so that it need not even look again."""
        what = self.waits
        return what is not None and what.owner is not None

    def waiting(self) -> str:
        """What it does now, if it will never end."""
        what = self.waits or self.wants
        owner = what.owner if what else None
        if what is None or owner is None:
            where = f", after {self.place}" if self.place else ""
            return f"{self.name} waits for ever{where}."
        gone = isinstance(owner, Actor) and owner.done
        which = f"which {owner.name} {'took and never gave back' if gone else 'has'}"
        does = "waits for" if self.waits else "tries again and again to get"
        return f"{self.name} {does} `{what.name}`, {which}."


def pause() -> None:
    """A stop, if an `Actor` runs this; nothing in any other thread."""
    thread = threading.current_thread()
    if isinstance(thread, Actor):
        thread.pause()


class Turns:
    """Makes threads, one for each function, and gives them turns. One thread uses it.

    Args:
        trial: is asked for the time.
        functions: without arguments.
        names: of the threads.
    """

    def __init__(
        self, trial: Trial, functions: Sequence[Callable[[], Any]], names: Sequence[str]
    ) -> None:
        self._trial = trial
        self._changed = threading.Condition()
        self._turn: Actor | None = None
        self._budget = 0
        self._in_vain = 0  # tries
        self._abandoned = False
        self.actors = [Actor(self, *each) for each in zip(names, functions, strict=False)]
        for actor in self.actors:
            actor.start()
        self._wait_for(lambda: all(actor.stopped for actor in self.actors))

    def go_on(self, actor: Actor, steps: int = STEPS) -> bool:
        """Let it come to its next stop but so many, or as far as it can; whether it got on."""
        if actor.done:
            return False
        # Who was taken for waiting before is only looked at again.
        patience = _PATIENCE if actor.stopped else _PATIENCE / 5
        before = seen = actor.steps
        if actor.stopped:
            with self._changed:
                self._turn, self._budget = actor, steps
                self._changed.notify_all()
            # On a busy machine it may come late, but come it will: its turn is not over before.
            self._wait_for(lambda: self._turn is not actor or not actor.stopped)
        deadline = time.monotonic() + patience
        while not self._wait_for(lambda: actor.stopped, patience / 2):
            if actor.steps > seen:
                seen, deadline = actor.steps, time.monotonic() + patience
            elif time.monotonic() > deadline:
                break
        with self._changed:
            self._turn = None
        return actor.done or actor.steps > before

    def finish(self) -> None:
        """Let all of them run to their ends, or until those that are left wait or try for ever."""
        got_on = time.monotonic()
        while not all(actor.done for actor in self.actors) and self._in_vain < _IN_VAIN:
            got = [self.go_on(actor) for actor in self.actors]
            if any(got):
                got_on = time.monotonic()
            known = all(actor.done or actor.waits_for_somebody() for actor in self.actors)
            if not any(got) and (known or time.monotonic() - got_on > _FOR_EVER):
                impatient = next((actor for actor in self.actors if actor.may_give_up), None)
                if impatient is None:
                    return
                impatient.gives_up = True
                got_on = time.monotonic()

    def end(self, *holders: Any) -> None:
        """End those that still run; locks that `holders` hold are freed for those who wait."""
        with self._changed:
            self._abandoned = True
            self._changed.notify_all()
        deadline = time.monotonic() + _LAST_STEPS
        while any(actor.is_alive() for actor in self.actors) and time.monotonic() < deadline:
            for actor in self.actors:
                actor.join(_PATIENCE)
            if not all(actor.done for actor in self.actors):
                free_all(*holders)

    def _wait_for(self, condition: Callable[[], bool], within: float = 10.0) -> bool:
        deadline = time.monotonic() + within
        with self._changed:
            while not condition():
                self._trial.left(0)
                if time.monotonic() > deadline:
                    return False
                self._changed.wait(_PATIENCE / 2)
        return True

    # For the actors.

    def may_step(self, actor: Actor) -> bool:
        """Whether it need not stop here; counts."""
        if self._turn is not actor or self._budget <= 0:
            return False
        self._budget -= 1
        return True

    def failed(self, actor: Actor) -> None:
        """It has tried in vain. Others go on soon, while it is each time somewhere else.

        Two that try again and again would meet in the same places for ever, if turns were alike.
        """
        self._in_vain += 1
        if self._turn is actor:
            self._budget = min(self._budget, self._in_vain % _MORE + 1)

    def stop(self, actor: Actor) -> None:
        """Return when it is its turn."""
        with self._changed:
            self._release(actor)
            while self._turn is not actor and not self._abandoned:
                self._changed.wait()
            actor.stopped = False
            if self._abandoned:
                raise Abandoned

    def leave(self, actor: Actor) -> None:
        """It is done."""
        with self._changed:
            actor.done = True
            self._release(actor)

    def _release(self, actor: Actor) -> None:
        actor.stopped = True
        if self._turn is actor:
            self._turn = None
        self._changed.notify_all()
