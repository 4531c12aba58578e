"""The process in which the threads are explored: `python -m sockkit.lab.races.child`.

It reads one job from standard input, runs frontrun, and writes one answer as JSON. Standard output
is kept for that: what the explored functions print goes nowhere. Started by `explorer` alone.
"""

import importlib
import json
import os
import pickle
import sys
import time
import types
from collections.abc import Callable, Iterator
from typing import Any, TypedDict

from sockkit.lab.races import steps, witness

_OURS = frozenset({__file__, witness.__file__, steps.__file__})


class Job(TypedDict):
    """What the parent sends, pickled."""

    functions: bytes
    """`(setup, threads, invariant)`, pickled once more: it may fail by itself."""
    schedules: int
    samples: int
    seconds: float
    trace: list[str]


class Refused(Exception):
    """The question can't be answered; the text says why, in one sentence."""


class Search:
    """One question, and the runs of frontrun that answer it."""

    def __init__(self, job: Job) -> None:
        self._job = job
        try:
            self._setup, self._threads, self._invariant = pickle.loads(job["functions"])
        except Exception as error:
            raise Refused(f"the functions don't arrive in the child process: {_say(error)}") from None
        self._witness = witness.Witness(self._is_user_code)
        self._witness.watch_sockets()
        self._frontrun: Any = importlib.import_module("frontrun")
        tracing: Any = importlib.import_module("frontrun._tracing")
        self._filter = tracing.TraceFilter(["sockkit", "sockkit.*", *job["trace"]])
        self._tracing = tracing
        self._aborted = importlib.import_module("frontrun._deadlock").SchedulerAbortError
        self._witness.listen()
        self._clear()

    def answer(self) -> dict[str, Any]:
        """Explore, and check that a second look sees the same."""
        found = self._explore("dpor")
        if found["outcome"] in ("broken", "raised") and not self._switched():
            raise Refused(
                f"no schedule is to blame: with the threads run one after the other, "
                f"{found['final'] or 'the invariant is not true'}"
            )
        first, explored = self._first, self._runs
        again = self._explore("dpor", 1 if found["outcome"] == "holds" else None)
        if self._first != first or (found["outcome"] != "holds" and again != found):
            raise Refused(
                "the same schedule came out differently the second time: setup must make "
                "everything the threads use afresh, and they may not depend on chance"
            )
        found["explored"] = explored
        if found["outcome"] == "holds" and self._job["samples"]:
            sampled = self._explore("random")
            if sampled["outcome"] != "holds":
                return sampled | {"explored": explored, "complete": found["complete"]}
            found["sampled"] = self._runs
        return found

    def _explore(self, strategy: str, limit: int | None = None) -> dict[str, Any]:
        """One run of frontrun over many schedules, up to the first that loses."""
        self._clear()
        most = limit or self._job["schedules"]
        seconds = self._job["seconds"]
        begin = time.monotonic()
        options: dict[str, Any] = {"clock": "virtual", "reproduce_on_failure": 0}
        if strategy == "dpor":
            options |= {"preemption_bound": None, "max_executions": most}
        else:
            options |= {"max_attempts": self._job["samples"], "seed": 1}
        # The random search resets the filter at its end, so it is set each time.
        self._tracing.set_active_trace_filter(self)
        try:
            result = self._frontrun.explore(
                setup=self._begin,
                workers=[self._thread(number) for number in range(len(self._threads))],
                invariant=self._check,
                strategy=strategy,
                total_timeout=seconds,
                timeout_per_run=seconds,
                deadlock_timeout=seconds / 4,
                **options,
            )
        except Refused:
            raise
        except Exception as error:
            if self._raised is None:
                raise Refused(f"frontrun could not explore this: {_say(error)}") from error
            verdict: bool | None = False
        else:
            verdict = result.property_holds
        self._witness.finish()
        if verdict is None:
            raise Refused(
                "a thread took too long, or waited where the explorer can't see it "
                "(in a socket's recv, in input, for another process)"
            )
        complete = self._runs < most and time.monotonic() - begin < seconds
        return self._outcome(verdict) | {
            "threads": [],
            "steps": steps.steps(self._witness.events, self._roots()),
            "explored": self._runs,
            "complete": complete,
            "sampled": 0,
            "by_sampling": strategy == "random",
        }

    def _outcome(self, holds: bool) -> dict[str, Any]:
        if holds:
            return {"outcome": "holds", "final": self._seen()}
        if self._raised is not None:
            thread, error = self._raised
            return {"outcome": "raised", "final": f"{{{thread}}} raises {_say(error)}"}
        if self._broken is not None:
            return {"outcome": "broken", "final": self._broken}
        waits = steps.waiting(self._witness.events, self._roots())
        said = [
            f"{{{thread}}} waits for {name}"
            + (f", which {{{holder}}} has" if holder is not None else ", and nobody will come")
            for thread, name, holder in waits
        ]
        return {"outcome": "deadlock", "final": "; ".join(said)}

    # What frontrun calls, in this order, for every schedule.

    def _begin(self) -> Any:
        if self._runs == 1:
            self._first = self._signature()
        self._runs += 1
        self._raised = self._broken = None
        self._witness.start()
        try:
            self._state = self._setup()
        except Exception as error:
            raise Refused(f"setup raised {_say(error)}") from None
        return self._state

    def _thread(self, number: int) -> Callable[[Any], None]:
        def wrapped(state: Any) -> None:
            try:
                self._threads[number](state)
            except self._aborted:  # frontrun's way to end a thread.
                raise
            except Exception as error:
                self._raised = number, error
                raise

        return wrapped

    def _check(self, state: Any) -> bool:
        self._witness.finish()
        if self._runs == 1:
            self._first = self._signature()
        try:
            answer, message = self._invariant(state), ""
        except AssertionError as error:
            answer, message = False, str(error)
        except Exception as error:
            raise Refused(f"the invariant raised {_say(error)}") from None
        if answer is None:
            raise Refused("the invariant returned None: let it return True or False")
        if not answer:
            self._broken = message or self._seen()
        return bool(answer)

    # Helpers.

    def should_trace_file(self, filename: str) -> bool:
        """frontrun asks: may a switch come in this file? The kit's own part in this is left out."""
        return self._is_user_code(filename)

    def _is_user_code(self, filename: str) -> bool:
        return filename not in _OURS and self._filter.should_trace_file(filename)

    def _clear(self) -> None:
        self._runs = 0
        self._first: list[tuple[Any, ...]] = []
        self._state: Any = None
        self._raised: tuple[int, Exception] | None = None
        self._broken: str | None = None

    def _switched(self) -> bool:
        """Whether a thread went on after another one had run."""
        order = [event.thread for event in self._witness.events]
        turns = [thread for thread, before in zip(order, [None, *order], strict=False) if thread != before]
        return len(turns) > len(set(turns))

    def _signature(self) -> list[tuple[Any, ...]]:
        return [(e.thread, e.line, e.does, e.key, e.value) for e in self._witness.events]

    def _seen(self) -> str:
        """The values the invariant looks at: "value is 1"."""
        known = self._roots() | getattr(self._state, "__dict__", {})
        seen = [
            f"{name} is {witness.show(known[name])}"
            for name in _names_in(getattr(self._invariant, "__code__", None))
            if name in known and not callable(known[name])
        ]
        return ", ".join(seen)

    def _roots(self) -> dict[str, Any]:
        """Where names start: the state, and the global variables of the functions."""
        roots: dict[str, Any] = {"": self._state}
        for function in (self._invariant, *self._threads):
            for name, value in getattr(function, "__globals__", {}).items():
                if not name.startswith("_") and not callable(value):
                    roots.setdefault(name, value)
        return roots


def _names_in(code: Any) -> Iterator[str]:
    if isinstance(code, types.CodeType):
        yield from code.co_names
        for constant in code.co_consts:
            yield from _names_in(constant)


def _say(error: BaseException) -> str:
    text = str(error)
    return f"{type(error).__name__}: {text}" if text else type(error).__name__


def main() -> None:
    """Read the job, write the answer, and end at once, whatever threads are left."""
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    job: Job = pickle.load(sys.stdin.buffer)
    # A thread keeps the interpreter until it waits for its turn: no switch but the scheduler's.
    sys.setswitchinterval(1000)
    try:
        answer = Search(job).answer()
    except Refused as refusal:
        answer = {"refused": str(refusal)}
    json.dump(answer, answers)
    answers.flush()
    os._exit(0)


if __name__ == "__main__":
    main()
