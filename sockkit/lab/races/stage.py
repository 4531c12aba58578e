"""The functions under test, as frontrun sees them. Only for the child process.

For each schedule frontrun calls `begin`, then all `threads` under its control, then `check`. The
stage keeps what came of the last one, and says it in words; "{0}" in them stands for a thread.
"""

import gc
import types
from collections.abc import Callable, Iterator
from typing import Any

from sockkit.lab.races import steps
from sockkit.lab.races.hooks import Hooks
from sockkit.lab.races.witness import Witness, show

Saw = dict[int, list[tuple[int, str, str, str]]]


class Refused(Exception):
    """The question can't be answered; the text says why, in one sentence."""


class Stage:
    """One question: what the threads share, what they do, and what must be true at the end.

    Attributes:
        threads: the functions, to be run in threads.
        runs: how many schedules there were since `clear`.
        first: what each thread saw and did in the first of them. It has to be the same each time.
    """

    def __init__(
        self,
        setup: Callable[[], Any],
        threads: list[Callable[[Any], Any]],
        invariant: Callable[[Any], Any],
        witness: Witness,
        hooks: Hooks,
    ) -> None:
        self._setup = setup
        self._functions = threads
        self._invariant = invariant
        self._witness = witness
        self._hooks = hooks
        self.threads = [self._thread(number) for number in range(len(threads))]
        self.clear()

    def clear(self) -> None:
        """Forget all schedules before."""
        self.runs = 0
        self.first: Saw = {}
        self._state: Any = None
        self._done: set[int] = set()  # threads that have come to their end
        self._raised: tuple[int, Exception] | None = None
        self._broken: str | None = None

    # What frontrun calls.

    def begin(self) -> Any:
        """What the threads share, made afresh."""
        if self.runs == 1:
            self.first = self._saw()
        self.runs += 1
        self._done.clear()
        self._raised = self._broken = None
        self._witness.start()
        self._hooks.keep_queues()
        gc.collect(0)  # what the execution before has left: while one runs, nothing is collected
        try:
            self._state = self._setup()
        except Exception as error:
            raise Refused(f"setup raised {say(error)}") from None
        return self._state

    def check(self, state: Any) -> bool:
        """Whether the invariant holds, now that all threads are done."""
        self._witness.finish()
        try:
            answer, message = self._invariant(state), ""
        except AssertionError as error:
            answer, message = False, str(error)
        except Exception as error:
            raise Refused(f"the invariant raised {say(error)}") from None
        if answer is None:
            raise Refused("the invariant returned None: let it return True or False")
        if not answer:
            self._broken = message or self._seen()
        return bool(answer)

    def _thread(self, number: int) -> Callable[[Any], None]:
        def run(state: Any) -> None:
            try:
                self._functions[number](state)
                if self._witness.turn() is not None:  # Else frontrun had given up before.
                    self._done.add(number)
            except Exception as error:
                if self._witness.turn() is not None:  # Else it comes of frontrun giving up.
                    self._raised = number, error
                raise

        return run

    # What came of it.

    def end(self) -> None:
        """The last schedule of an exploration has been run."""
        self._witness.finish()
        if self.runs == 1:
            self.first = self._saw()

    @property
    def raised(self) -> bool:
        """Whether a thread raised in the last schedule."""
        return self._raised is not None

    def outcome(self, holds: bool) -> dict[str, Any]:
        """How the last schedule ended: outcome, final, steps."""
        roots = self._roots()
        shown = steps.steps(self._witness.events, roots)
        if holds:
            return {"outcome": "holds", "final": self._seen(), "steps": shown}
        if self._raised is not None:
            final = f"{{{self._raised[0]}}} raises {say(self._raised[1])}"
            return {"outcome": "raised", "final": final, "steps": shown}
        if self._broken is not None:
            return {"outcome": "broken", "final": self._broken, "steps": shown}
        waits = [
            f"{{{thread}}} waits for {name}"
            + (", and nobody is left to help" if holder is None else f", which {{{holder}}} has")
            for thread, name, holder in steps.waiting(self._witness.events, roots)
        ]
        return {"outcome": "deadlock", "final": "; ".join(waits), "steps": shown}

    def switched(self) -> bool:
        """Whether a thread ran while another one was half done."""
        turns: list[int] = []
        for event in self._witness.events:
            if not turns or turns[-1] != event.thread:
                turns.append(event.thread)
        # Who stands before the last and is not done would have gone on, had that one not raised.
        return len(turns) > len(set(turns)) or not set(turns[:-1]) <= self._done

    def _saw(self) -> Saw:
        saw: Saw = {}
        for event in self._witness.events:
            if event.does not in steps.SYNCHRONIZES:
                what = (event.line, event.does, event.key, event.value)
                saw.setdefault(event.thread, []).append(what)
        return saw

    def _seen(self) -> str:
        """The values the invariant looks at: "value is 1"."""
        known = self._roots() | getattr(self._state, "__dict__", {})
        return ", ".join(
            f"{name} is {show(known[name])}"
            for name in dict.fromkeys(_names_in(getattr(self._invariant, "__code__", None)))
            if name in known and not callable(known[name])
        )

    def _roots(self) -> dict[str, Any]:
        """Where names start: the state, and the global variables of the functions."""
        roots: dict[str, Any] = {"": self._state}
        for function in (self._invariant, *self._functions):
            for name, value in getattr(function, "__globals__", {}).items():
                if not name.startswith("_") and not callable(value):
                    roots.setdefault(name, value)
        return roots


def _names_in(code: Any) -> Iterator[str]:
    if isinstance(code, types.CodeType):
        yield from code.co_names
        for constant in code.co_consts:
            yield from _names_in(constant)


def say(error: BaseException) -> str:
    """An exception in words: "KeyError: 'bob'"."""
    text = str(error)
    return f"{type(error).__name__}: {text}" if text else type(error).__name__
