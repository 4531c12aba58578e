"""Which sentence an answer is met with. What happened is known; here it is put in order."""

import itertools
import re
from collections.abc import Sequence
from dataclasses import replace

from sockkit.exercises.calls import Call
from sockkit.exercises.trial import Trial
from sockkit.exercises.verdict import NotYet, Status, StillRunning, Verdict
from sockkit.exercises.where import learners_traceback, named

_WIRE_LINES = 16
_ALIKE = 4  # lines in a row that differ only in the client's number
_CLIENT = re.compile(r"^client \d+(?= )")


def write(
    trial: Trial,
    goal: str,
    praise: str,
    finding: NotYet | None,
    left: Sequence[str],
    survivors: Sequence[str] = (),
) -> Verdict:
    """The verdict, most telling fact first.

    An exception explains whatever the check saw after it. A check that found nothing wrong is not
    the last word: the answer may have held the event loop, or have left something behind. Threads
    of a server that the check could not end with it are no fault, and told even where all is well.
    """
    calls = [running.call for running in trial.begun]
    failed = [running.call for running in trial.begun if running.call.error and not running.judged]
    if failed and isinstance(failed[0].error, NotImplementedError):
        return not_attempted()
    details: list[tuple[str, Sequence[str]]] = []
    if failed and failed[0].error:
        finding = _raised(failed[0], failed[0].error, finding.expected if finding else goal)
        details.append(("Where", learners_traceback(failed[0].error)))
    finding = _unawaited(calls) or _with_place(trial, finding) or _loop_held(calls)
    if finding and not (finding.expected or finding.then):
        finding = NotYet(finding.saw, goal)
    complaints = [complaint for call in calls for complaint in call.complaints]
    also = [*left, *survivors, *complaints]
    if finding is None and left:
        finding = NotYet(f"{praise} But {' And '.join(left)}".strip())
        also = [*survivors, *complaints]
    if finding is None:
        return Verdict(Status.SOLVED, praise, details=[("Also", survivors)] if survivors else [])
    if trial.wire:
        details.append(("The wire, as I saw it", _cut(trial.wire)))
    if also:
        details.append(("Also", also))
    return Verdict(Status.NOT_YET, finding.saw, finding.expected, finding.then, details)


def not_attempted() -> Verdict:
    """For a stub that nobody has touched."""
    return Verdict(
        Status.NOT_ATTEMPTED, then="Replace each `...` with your answer, and run the cell again."
    )


def out_of_time(trial: Trial) -> NotYet:
    """When the check had to stop before it was through."""
    running = [each.call for each in trial.begun if not each.call.done.is_set()]
    place = running[0].place() if running else ""
    where = f", in {place}" if place else ""
    return StillRunning(f"My time was up while your code was still running{where}.")


def with_output(verdict: Verdict, printed: Sequence[str], warned: Sequence[str]) -> Verdict:
    """The verdict with what the answer printed, and what Python and the kit had to say."""
    said = (("Your code printed", printed), ("Warnings and logs", warned))
    details = [*verdict.details, *((title, lines) for title, lines in said if lines)]
    return replace(verdict, details=details)


def _raised(call: Call, error: BaseException, expected: str) -> NotYet:
    name = call.failed_in or call.name
    if isinstance(error, SystemExit):
        return NotYet(
            f"`{name}` called `sys.exit`. In a server that ends every connection at once.",
            expected,
            "A function that has nothing more to do just returns.",
        )
    if isinstance(error, KeyboardInterrupt):
        return NotYet(
            f"`{name}` raised `KeyboardInterrupt`. That word belongs to the person at the "
            "keyboard: it stops the whole program.",
            expected,
        )
    what = f"`{name}` raised {named(error)}"
    return NotYet(what if what.endswith((".", "?")) else f"{what}.", expected)


def _unawaited(calls: Sequence[Call]) -> NotYet | None:
    for call in calls:
        if call.unawaited:
            return NotYet(
                f"`{call.name}` returned the coroutine `{call.unawaited}`, which has never been "
                "awaited: nothing in it has run.",
                "what it would return.",
                "Calling a coroutine function only prepares it. Which word runs it?",
            )
    return None


def _with_place(trial: Trial, finding: NotYet | None) -> NotYet | None:
    """The finding, and where the answer was while the check waited in vain."""
    held = [running for running in trial.begun if running.forced and running.place_at_end]
    if finding is None or not held or not (trial.waited_in_vain or held[0].call.held):
        return finding
    call = held[0].call
    if isinstance(finding, StillRunning) and not call.held:
        return finding  # it is told already
    doing = "held its event loop" if call.held else "was still running"
    who = f"`{call.name}`" if call.name else "Your server"
    saw = f"{finding.saw} {who} {doing}, in {held[0].place_at_end}."
    return NotYet(saw, finding.expected, finding.then)


def _loop_held(calls: Sequence[Call]) -> NotYet | None:
    for call in calls:
        if call.held:
            seconds, place = call.held
            who = f"`{call.name}`" if call.name else "your server"
            return NotYet(
                f"It works. But {who} held the event loop for {seconds:.1f} s, in {place}. "
                "Nothing else could run meanwhile: no other client, no timeout.",
                "every wait in a coroutine is an `await`.",
                "Which call there waits without one?",
            )
    return None


def folded(lines: Sequence[str]) -> list[str]:
    """The wire, with the middle left out where many clients in a row got the same."""
    found: list[str] = []
    for _, alike in itertools.groupby(lines, lambda line: _CLIENT.sub("", line)):
        run = list(alike)
        few = len(run) <= _ALIKE or not _CLIENT.match(run[0])
        found += run if few else [run[0], f"… {len(run) - 2} more like these …", run[-1]]
    return found


def _cut(lines: Sequence[str]) -> list[str]:
    lines = folded(lines)
    if len(lines) <= _WIRE_LINES:
        return list(lines)
    half = _WIRE_LINES // 2
    return [*lines[:half], f"… {len(lines) - 2 * half} more …", *lines[-half:]]
