"""An error that a lesson wants to happen: shown as Python names it, then swallowed.

A cell that raises stops "run all", and its traceback is full of this machine's paths. `expect` lets
the cell go on and prints what a reader needs of the traceback: their own lines, and the error.
"""

import contextlib
import linecache
import os
import traceback
import warnings
from collections.abc import Iterator
from types import TracebackType

from sockkit.text import plain


@contextlib.contextmanager
def expect(*kinds: type[BaseException]) -> Iterator[None]:
    """Run the block, which must fail with an error of one of these kinds, and print the error.

    What the block leaves behind is let go at once, so a coroutine that was never awaited is told of
    here too. Use it on the main thread: warnings of other threads would be printed with these.

    Args:
        kinds: the errors that are right; any other goes on to the caller.

    Raises:
        AssertionError: the block came to its end.

    Example:
        >>> with expect(ZeroDivisionError):
        ...     1 / 0
        Traceback (most recent call last):
          line 2: 1 / 0
        ZeroDivisionError: division by zero
    """
    with warnings.catch_warnings(record=True) as warned:
        warnings.simplefilter("always", RuntimeWarning)
        try:
            yield
        except kinds as error:
            lines = _told(error)
            _let_go(error)
        else:
            names = " or ".join(kind.__name__ for kind in kinds)
            raise AssertionError(f"expected {names}, but nothing was raised")
    print(*lines, *(_warning(each) for each in warned), sep="\n")


def _told(error: BaseException) -> list[str]:
    """The traceback, with no lines but those of the caller's cell and of the cells beside it."""
    here = os.path.dirname(_file_of_caller(error))
    steps = [
        f"  {_place(step)}: {plain(linecache.getline(step.filename, step.lineno or 0).strip())}"
        for step in traceback.extract_tb(error.__traceback__)
        if os.path.dirname(step.filename) == here
    ]
    told = traceback.TracebackException.from_exception(error)
    told.__notes__ = []  # they come after the line that names the error
    *_, last = told.format_exception_only()
    return ["Traceback (most recent call last):", *steps, plain(last.strip(), 500)]


def _place(step: traceback.FrameSummary) -> str:
    inside = "" if step.name.startswith("<") else f", in {step.name}"
    return f"line {step.lineno}{inside}"


def _file_of_caller(error: BaseException) -> str:
    # The first frame of the traceback is the generator's own; the block is the one after it.
    step: TracebackType | None = error.__traceback__
    while step is not None and step.tb_frame.f_code.co_filename == __file__:
        step = step.tb_next
    return step.tb_frame.f_code.co_filename if step else ""


def _let_go(error: BaseException) -> None:
    # A traceback keeps alive every local variable on its way: sockets, coroutines.
    traceback.clear_frames(error.__traceback__)
    error.__traceback__ = None


def _warning(warned: warnings.WarningMessage) -> str:
    text = str(warned.message).splitlines()[0]  # the rest tells how to trace memory
    return f"{warned.category.__name__}: {plain(text, 500)}"
