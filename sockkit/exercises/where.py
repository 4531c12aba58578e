"""Where in the learner's own code something happened: the only lines worth showing them."""

import asyncio
import linecache
import os
import sysconfig
import traceback
from pathlib import Path
from types import FrameType
from typing import Any

from sockkit.text import plain

_HERE = Path(__file__).parent
_SOLUTIONS = str(_HERE / "solutions") + os.sep
_CALLS = str(_HERE / "calls.py")  # outside of this is the cell that called `check`
_OTHERS = (
    str(_HERE.parent) + os.sep,
    *(sysconfig.get_path(name) + os.sep for name in ("stdlib", "platstdlib", "purelib", "platlib")),
    "<frozen",
)


def is_learners(filename: str) -> bool:
    """Whether code of this file was written by the learner: not by Python, a package or the kit."""
    return filename.startswith(_SOLUTIONS) or not filename.startswith(_OTHERS)


def learners_place(*frames: FrameType) -> str:
    """The innermost line of the learner's, looking outward from each frame in turn; or ""."""
    for start in frames:
        frame: FrameType | None = start
        while frame and frame.f_code.co_filename != _CALLS:
            filename = frame.f_code.co_filename
            if is_learners(filename):
                return _line(filename, frame.f_lineno)
            frame = frame.f_back
    return ""


def frames_of_task(task: asyncio.Task[Any]) -> list[FrameType]:
    """The frames of the coroutines that a waiting task is in, innermost first."""
    frames: list[FrameType] = []
    step: Any = task.get_coro()
    while step is not None:
        if frame := getattr(step, "cr_frame", None):
            frames.insert(0, frame)
        step = getattr(step, "cr_await", None)
    return frames


def learners_traceback(error: BaseException) -> list[str]:
    """The traceback with the learner's lines alone, and the error."""
    steps = _steps(error)
    if len(steps) > 6:
        steps = [*steps[:3], f"… {len(steps) - 6} more …", *steps[-3:]]
    return [*steps, named(error)]


def _steps(error: BaseException) -> list[str]:
    steps = [
        f"in {step.name}, {_line(step.filename, step.lineno or 0)}"
        for step in traceback.extract_tb(error.__traceback__)
        if is_learners(step.filename)
    ]
    if isinstance(error, BaseExceptionGroup):
        return steps + _steps(error.exceptions[0])
    return steps


def named(error: BaseException) -> str:
    """The kind of error and its text, made harmless to show; of a group, its first one too."""
    name = f"{type(error).__name__}: {plain(error, 300)}".removesuffix(": ")
    if isinstance(error, BaseExceptionGroup):
        return f"{name}, first {named(error.exceptions[0])}"
    return name


def described(value: Any) -> str:
    """The kind of a value, with its article; a ``...`` that was not replaced is told as that."""
    if value is ...:
        return "still `...`"
    kind = type(value).__name__
    return f"{'an' if kind[0] in 'aeiouAEIOU' else 'a'} `{kind}`"


def _line(filename: str, number: int) -> str:
    source = linecache.getline(filename, number).strip()
    return f"line {number}: `{plain(source, 100)}`" if source else f"line {number}"
