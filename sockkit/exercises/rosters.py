"""What lesson 03 asks of a roster: new numbers for ever, and nothing kept of who has left."""

import gc
import socket
import tracemalloc
import weakref
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from sockkit.exercises.trial import Trial
from sockkit.exercises.verdict import NotYet
from sockkit.exercises.where import described
from sockkit.text import plain

T = TypeVar("T")

_NEWCOMERS = 100  # each with a connection of its own
_MANY = 70_000  # clients that come and go: more than 16 bits can count
_CYCLES = 10_000  # the same, with a look at the memory
_KEPT = 4  # bytes for each of them that may be left; a list of None takes 8


def called(trial: Trial, method: Callable[..., Any], argument: Any) -> Any:
    """What `join` or `leave` returns, at once."""
    running = trial.start(method, argument)
    value = running.result()
    if running.awaited:
        raise NotYet(
            f"Your `{running.call.name}` is a coroutine function: it does nothing until somebody "
            "awaits it.",
            "a plain method.",
            "Is there anything in it that has to wait?",
        )
    return value


def expect_here(keeper: Any, here: dict[int, socket.socket], what: str, then: str = "") -> None:
    """`clients` holds these, and nobody else, after what has happened."""
    clients = keeper.clients
    if not hasattr(clients, "keys"):
        saw = f"Your `clients` is {described(clients)}."
        raise NotYet(saw, "a dict, from number to connection.")
    if dict(clients) != here:
        raise NotYet(
            f"{what} Your `clients` has the numbers {listed(list(clients))}.",
            f"{listed(list(here))}, each with its connection." if here else "nobody.",
            then or "What does `leave` change, and what does it leave alone?",
        )


def expect_own_clients(second: Any) -> None:
    """A second roster is empty, whoever is in the first."""
    if there := list(second.clients):
        raise NotYet(
            f"I made a second one of your objects. Nobody had joined it, and its `clients` had the "
            f"numbers {listed(there)}: those of the first one.",
            "each has its own.",
            "When is your dict made, and how often?",
        )


def _come_and_go(trial: Trial, keeper: Any, visits: Callable[[], T]) -> T:
    """What the visits return. They are the check's own; what goes wrong there is the roster's."""
    running = trial.start(visits)
    running.call.name = type(keeper).__name__
    found: T = running.result(
        expected="many come and go in a moment.",
        then="How much work is one `join`, after many that have gone?",
    )
    return found


def expect_new_numbers(trial: Trial, keeper: Any, given: Sequence[int]) -> None:
    """Each connection is new and soon gone, so that its descriptor and its place are used again."""

    def come_and_go() -> list[Any]:
        numbers = []
        with socket.create_server(("127.0.0.1", 0)) as listener:
            for _ in range(_NEWCOMERS):
                with socket.create_connection(listener.getsockname()):
                    connection, _ = listener.accept()
                    with connection:
                        numbers.append(keeper.join(connection))
                        keeper.leave(numbers[-1])
                    del connection  # the last reference, if the answer keeps none
        return numbers

    had = set(given)
    for count, number in enumerate(_come_and_go(trial, keeper, come_and_go), 1):
        if not isinstance(number, int) or number in had:
            raise NotYet(
                f"Clients came and went, one after another, each with a new connection. Number "
                f"{count} of them got {plain(repr(number), 40)}, which somebody had before.",
                "a number that nobody ever had.",
                "What do you make it from, and who gets that when a connection is gone?",
            )
        had.add(number)
    _expect_no_end(trial, keeper, had)


def _expect_no_end(trial: Trial, keeper: Any, had: set[int]) -> None:
    connection = trial.own(trial.pair()[1])

    def come_and_go() -> int | None:
        for count in range(_NEWCOMERS + 1, _MANY):
            number = keeper.join(connection)
            keeper.leave(number)
            if number in had:
                return count
            had.add(number)
        return None

    if count := _come_and_go(trial, keeper, come_and_go):
        raise NotYet(
            f"Clients came and went, one after another. Number {count:,} of them got a number that "
            "somebody had before.",
            "a number that nobody ever had.",
            "How far do your numbers go, and what comes after the last?",
        )


def expect_nothing_kept(trial: Trial, keeper: Any) -> None:
    """Neither memory for each who was here, nor the connection of the last."""
    original = trial.own(trial.pair()[1])

    def come_and_go() -> weakref.ref[socket.socket]:
        for _ in range(_CYCLES):
            with original.dup() as connection:
                number = keeper.join(connection)
            keeper.leave(number)
        return weakref.ref(connection)

    traced = tracemalloc.is_tracing()
    if not traced:
        tracemalloc.start()
    try:
        before = tracemalloc.get_traced_memory()[0]
        last = _come_and_go(trial, keeper, come_and_go)
        gc.collect()
        kept = tracemalloc.get_traced_memory()[0] - before
    finally:
        if not traced:
            tracemalloc.stop()
    if kept > _KEPT * _CYCLES:
        raise NotYet(
            f"{_CYCLES:,} clients came and went. You still keep about {kept // _CYCLES} bytes for "
            "each of them.",
            "nothing: a server that runs for years sees many.",
            "Which of your variables only grows?",
        )
    if last() is not None:
        raise NotYet(
            "A client came and left. You still keep its connection.",
            "nothing of those who have gone.",
            "Which of your variables does `leave` not look at?",
        )


def listed(numbers: Sequence[Any]) -> str:
    """A few of them, to be shown."""
    return plain(", ".join(map(str, numbers)), 60) or "none"
