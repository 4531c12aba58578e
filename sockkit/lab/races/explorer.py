"""Hands functions to frontrun in a child process, and brings the answer back."""

import importlib.metadata
import importlib.util
import inspect
import json
import os
import pickle
import subprocess
import sys
from collections.abc import Callable, Sequence
from typing import Any

from sockkit.lab.limits import end_with_its_own
from sockkit.lab.races import traces
from sockkit.lab.races.packing import CannotExplore, Package, name_of
from sockkit.lab.races.result import Result, Step

_FRONTRUN = "0.7."  # The version whose inside `witness` knows.
_LETTERS = "ABCDEF"


def explore(
    setup: Callable[[], Any],
    threads: Sequence[Callable[[Any], Any]],
    invariant: Callable[[Any], Any],
    *,
    schedules: int = 200,
    samples: int = 20,
    timeout: float = 20.0,
    trace: Sequence[str] = (),
    recorded: str = "",
) -> Result:
    """Look for a schedule of these threads that breaks the invariant.

    A scheduler runs the threads one at a time, and decides at every access to something they share
    who goes on. It tries every order that could make a difference; if none loses, some random
    switches between any two bytecodes as well. All of it happens in a child process, on copies of
    your functions: nothing in this process is changed or patched, and the child always ends.

    Args:
        setup: makes what the threads share, afresh for every schedule. A class will do.
        threads: two to six functions; each gets what `setup` returned, and runs in its own thread.
        invariant: gets it when all are done; false, or an AssertionError, means the schedule lost.
        schedules: how many schedules to try at most.
        samples: how many random ones to try after those.
        timeout: seconds for everything, after which the child is ended.
        trace: more packages in which a switch may come, as patterns: "mypackage.*". Your own code
            and sockkit are always among them, the standard library never is.
        recorded: the name of a recorded trace (see `traces.names`) to show instead on a platform
            that has no frontrun. The result says that it is one.

    Raises:
        CannotExplore: setup or the invariant raised, a function can't travel to the child, no
            schedule is to blame, time ran out, or there is no frontrun here.

    Any thread may call it; it waits for the answer.

    Example:
        >>> class Counter:
        ...     def __init__(self): self.value = 0
        ...     def add(self): self.value += 1
        >>> explore(Counter, [Counter.add, Counter.add], lambda c: c.value == 2).outcome
        'broken'
    """
    threads = list(threads)
    _check_question(setup, threads, invariant)
    missing = what_is_missing()
    if missing and recorded:
        return traces.load(recorded)
    if missing:
        raise CannotExplore(missing)
    package = Package(setup, threads, invariant)
    job = {
        "functions": package.data,
        "schedules": schedules,
        "samples": samples,
        "seconds": timeout,
        "trace": list(trace),
    }
    answer = _ask(pickle.dumps(job), timeout)
    if "refused" in answer:
        raise CannotExplore(_lettered(answer["refused"]))
    return Result(
        outcome=answer["outcome"],
        threads=tuple(name_of(thread) for thread in threads),
        steps=tuple(_step(index, step, package) for index, step in enumerate(answer["steps"])),
        invariant=name_of(invariant),
        final=_lettered(answer["final"]),
        explored=answer["explored"],
        complete=answer["complete"],
        sampled=answer["sampled"],
    )


def what_is_missing() -> str:
    """Why nothing can be explored here, as a sentence; "" if all is there."""
    if importlib.util.find_spec("frontrun") is None:
        return (
            "the schedule explorer, frontrun, is not installed: it exists for Linux with glibc and "
            "for macOS on Apple silicon; elsewhere there are the recorded traces"
        )
    version = importlib.metadata.version("frontrun")
    if not version.startswith(_FRONTRUN):
        return f"frontrun {version} is installed, and this kit needs {_FRONTRUN}x"
    if importlib.util.find_spec("cloudpickle") is None:
        return "cloudpickle, which carries functions to the child process, is not installed"
    return ""


def _check_question(setup: Any, threads: list[Any], invariant: Any) -> None:
    if not 2 <= len(threads) <= len(_LETTERS):
        raise CannotExplore(f"give two to {len(_LETTERS)} threads, not {len(threads)}")
    for function, arguments in ((setup, 0), (invariant, 1), *((run, 1) for run in threads)):
        if not callable(function):
            raise CannotExplore(f"{function!r} can't be called: give the function, without ()")
        if inspect.iscoroutinefunction(function):
            raise CannotExplore(f"{name_of(function)} is async, and this explores threads")
        try:
            inspect.signature(function).bind(*[None] * arguments)
        except TypeError:
            takes = "one argument, what setup returned" if arguments else "no argument"
            raise CannotExplore(f"{name_of(function)} must take {takes}") from None
        except ValueError:  # Some builtins don't tell.
            continue


def _ask(job: bytes, timeout: float) -> dict[str, Any]:
    with subprocess.Popen(
        [sys.executable, "-m", "sockkit.lab.races.child"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=_environment(),
        start_new_session=True,
    ) as child:
        try:
            answer, errors = child.communicate(job, timeout=timeout)
        except subprocess.TimeoutExpired:
            end_with_its_own(child)
            hang = CannotExplore(
                f"no answer within {timeout:g} s: a thread computes without end, or starts threads "
                "or processes of its own, or there is too much to explore"
            )
            hang.add_note(child.communicate()[1].decode(errors="replace"))  # where it stood
            raise hang from None
        finally:
            end_with_its_own(child)
    if not answer:
        last = errors.decode(errors="replace").strip().splitlines()[-1:]
        reason = f": {last[0]}" if last else ", as a function that calls os._exit or sys.exit does"
        raise CannotExplore(f"the child process ended with code {child.returncode}{reason}")
    parsed: dict[str, Any] = json.loads(answer)
    return parsed


def _environment() -> dict[str, str]:
    """As here, with the same import path; and what makes two runs the same."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("COV")}
    path = os.pathsep.join(entry or os.getcwd() for entry in sys.path)
    # FRONTRUN_ACTIVE is what the command `frontrun` sets. That command also preloads a library
    # which reports system calls through a pipe, at a time of its own: two runs would differ.
    return kept | {"PYTHONPATH": path, "PYTHONHASHSEED": "0", "FRONTRUN_ACTIVE": "1"}


def _step(index: int, step: dict[str, Any], package: Package) -> Step:
    return Step(
        number=index + 1,
        thread=_LETTERS[step["thread"]],
        line=package.line(step["file"], step["line"]),
        does=step["does"],
        target=step["target"],
        value=step["value"],
        stale=0 if step["stale"] is None else step["stale"] + 1,
        clash=0 if step["clash"] is None else step["clash"] + 1,
    )


def _lettered(text: str) -> str:
    """The child numbers the threads, "{0}"; people get letters."""
    for number, letter in enumerate(_LETTERS):
        text = text.replace(f"{{{number}}}", letter)
    return text
