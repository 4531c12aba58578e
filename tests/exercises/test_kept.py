"""What an object keeps is found wherever it lies, and nothing that others keep."""

import itertools
import queue
import threading
from collections import deque
from typing import Any

import pytest

from sockkit.exercises.kept import times_kept


class Keeper:
    def __init__(self, **kept: Any) -> None:
        self.__dict__.update(kept)


class Slotted:
    __slots__ = ("kept",)


LINES = [f"line {n}" for n in range(10)]
FILLED = queue.SimpleQueue[str]()
for line in LINES:
    FILLED.put(line)


@pytest.mark.parametrize(
    "kept",
    [
        LINES,
        deque(LINES),
        dict(enumerate(LINES)),
        FILLED,
        "\n".join(LINES),
        "\n".join(LINES).encode(),
        [Keeper(lines=line, lock=threading.Lock()) for line in LINES],
        itertools.cycle(LINES),
    ],
    ids=["list", "deque", "dict", "queue", "text", "bytes", "objects", "iterator"],
)
def test_lines_are_found_wherever_they_are_kept(kept: Any) -> None:
    keeper = Keeper(lock=threading.Condition(), kept=kept)
    assert times_kept(keeper, "line ") == 10
    slotted = Slotted()
    slotted.kept = keeper
    assert times_kept(slotted, "line ") == 10


def test_the_same_string_counts_once_and_circles_end() -> None:
    keeper = Keeper(one=LINES, two=[LINES[3]] * 5)
    keeper.itself = keeper
    assert times_kept(keeper, "line ") == 10


def test_what_is_left_out_and_what_a_function_that_is_kept_knows_is_not_counted() -> None:
    field = Keeper(value="\n".join(LINES))
    keeper = Keeper(field=field, run=test_lines_are_found_wherever_they_are_kept, kept=["line 1"])
    assert times_kept(keeper, "line ", field) == 1
    assert times_kept(keeper, "line ") == 11


def test_what_the_class_and_its_methods_keep_is_counted() -> None:
    lines = list(LINES)

    class Closed:
        def flush(self) -> str:
            return lines[-1]

    class Shared:
        lines = tuple(LINES)

    class Global:
        def flush(self) -> str:
            return LINES[-1]

    for kind in (Closed, Shared, Global):
        below = type("Below", (kind,), {})
        assert times_kept(below(), "line ") == 10
