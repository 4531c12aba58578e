"""The process in which the threads are explored: `python -m sockkit.lab.races.child`.

It reads one job from standard input, runs frontrun, and writes one answer as JSON. Standard output
is kept for that: what the explored functions print goes nowhere. Started by `explorer` alone.
"""

import faulthandler
import gc
import importlib
import json
import os
import pickle
import sys
import time
from typing import Any, TypedDict

from sockkit.lab.races import hooks, stage, witness
from sockkit.lab.races.stage import Refused, say

_OURS = frozenset({__file__, hooks.__file__, stage.__file__, witness.__file__})
_ENDLESS = (
    "a thread took too long, or waited where the explorer can't see it: in a socket's recv, in "
    "input, for another process"
)
_BY_CHANCE = (
    "the same schedule came out differently the second time: setup must make everything the "
    "threads use afresh, and they may not depend on chance"
)


class Job(TypedDict):
    """What the parent sends, pickled."""

    functions: bytes
    """`(setup, threads, invariant)`, pickled once more: reading it runs imports, and may fail."""
    schedules: int
    samples: int
    seconds: float
    trace: list[str]


class Search:
    """One question, and the explorations that answer it."""

    def __init__(self, job: Job) -> None:
        self._job = job
        self._begin = time.monotonic()
        try:
            setup, threads, invariant = pickle.loads(job["functions"])
        except Exception as error:
            raise Refused(f"the functions don't arrive in the child: {say(error)}") from None
        watching = witness.Witness(self.should_trace_file)
        # The hooks come first: frontrun, once imported, builds on what they change.
        self._stage = stage.Stage(setup, threads, invariant, watching, hooks.Hooks(watching))
        self._frontrun: Any = importlib.import_module("frontrun")
        self._tracing: Any = importlib.import_module("frontrun._tracing")
        self._filter = self._tracing.TraceFilter(["sockkit", "sockkit.*", *job["trace"]])

    def answer(self) -> dict[str, Any]:
        """Explore, and check that a second look sees the same."""
        found = self._systematic(self._job["schedules"])
        holds, first = found["outcome"] == "holds", self._stage.first
        again = self._systematic(1 if holds else self._job["schedules"])
        same_end = holds or again["final"] == found["final"]
        if self._stage.first != first or not same_end:
            raise Refused(_BY_CHANCE)
        if found["outcome"] in ("broken", "raised") and not self._stage.switched():
            fault = found["final"] or "the invariant is not true"
            raise Refused(
                f"no schedule is to blame: with the threads run one after the other, {fault}"
            )
        if holds and self._job["samples"]:
            found |= self._random(self._job["samples"])
        return found

    def _systematic(self, most: int) -> dict[str, Any]:
        """Every order of the accesses that could make a difference, up to the first that loses."""
        seconds = self._job["seconds"] * 0.3
        begin = time.monotonic()
        holds = self._explore(
            strategy="dpor", preemption_bound=None, max_executions=most, total_timeout=seconds
        )
        if holds is None:
            raise Refused(_ENDLESS)
        complete = self._stage.runs < most and time.monotonic() - begin < seconds
        result = self._stage.outcome(holds)
        return result | {"explored": self._stage.runs, "complete": complete, "sampled": 0}

    def _random(self, samples: int) -> dict[str, Any]:
        """Some schedules with switches anywhere: frontrun can't tell every access."""
        seconds = self._job["seconds"] * 0.9 - (time.monotonic() - self._begin)
        holds = self._explore(
            strategy="random", max_attempts=samples, seed=1, total_timeout=seconds
        )
        if holds is None:  # The last of them was not finished; those before it held.
            return {"sampled": self._stage.runs - 1}
        result = {"sampled": self._stage.runs}
        return result if holds else result | self._stage.outcome(holds)

    def _explore(self, **options: Any) -> bool | None:
        """Run frontrun: does the invariant hold? None: it could not tell."""
        self._stage.clear()
        # The random search resets the filter at its end, so it is set each time.
        self._tracing.set_active_trace_filter(self)
        verdict: bool | None = False
        try:
            verdict = self._frontrun.explore(
                self._stage.begin,
                self._stage.threads,
                self._stage.check,
                clock="virtual",
                reproduce_on_failure=0,
                timeout_per_run=options["total_timeout"],
                deadlock_timeout=options["total_timeout"] / 2,
                **options,
            ).property_holds
        except Refused:
            raise
        except Exception as error:
            if not self._stage.raised:
                raise Refused(f"frontrun could not explore this: {say(error)}") from error
        self._stage.end()
        return verdict

    def should_trace_file(self, filename: str) -> bool:
        """Frontrun asks: may a switch come in this file? Not in the kit's own part in this."""
        return filename not in _OURS and bool(self._filter.should_trace_file(filename))


def main() -> None:
    """Read the job, write the answer, and end at once, whatever threads are left."""
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    job: Job = pickle.load(sys.stdin.buffer)
    faulthandler.dump_traceback_later(job["seconds"] * 0.8)  # for who looks into a hang
    # A thread keeps the interpreter until it waits for its turn: no switch but the scheduler's.
    sys.setswitchinterval(1000)
    # Nor must a collector come meanwhile: a `__del__` that it calls waits for its turn, and
    # frontrun's own code, in the midst of which it may come, waits for that.
    gc.disable()
    try:
        answer = Search(job).answer()
    except Refused as refusal:
        answer = {"refused": str(refusal)}
    json.dump(answer, answers)
    answers.flush()
    os._exit(0)


if __name__ == "__main__":
    main()
