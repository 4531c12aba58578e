"""Lesson 03: any number of clients, and what to do about the one that is too many."""

import socket
import threading
import tracemalloc
from typing import Any

from sockkit.exercises.crowd import Crowd
from sockkit.exercises.lesson import Lesson
from sockkit.exercises.shouting import (
    ask,
    expect_end,
    expect_refusal,
    expect_reply,
    expect_room,
    started,
)
from sockkit.exercises.solutions import nb03 as solutions
from sockkit.exercises.trial import Trial
from sockkit.exercises.verdict import NotYet
from sockkit.exercises.walled import ShortListener, expect_connections
from sockkit.lab.descriptors import room_for
from sockkit.text import plain

lesson = Lesson("03")
summary = lesson.summary

_MOST, _LEAST = 1000, 100  # clients
_CROWDED = 0.8  # seconds for a crowd to come
_FEW_THREADS = 20
_WALL = 0.3  # seconds without descriptors
_SPIN = 1000  # tries in that time; waiting a millisecond between them makes 300
_NEWCOMERS = 100  # each with a connection of its own
_CYCLES = 10_000  # clients that come and go
_KEPT = 4  # bytes for each of them that may be left; a list of None takes 8


@lesson.exercise(
    solution=solutions.serve_many,
    hints=(
        "The selectors server is nearly it. Which of its calls may raise when a client resets?",
        "In asyncio each client has a coroutine of its own: an error in it is that client's alone.",
        "`with_asyncio` would pass. In `with_selectors`, put `recv` and `sendall` into a `try`, "
        'and take `ConnectionError` for `b""`.',
    ),
)
def serve_many(trial: Trial, answer: Any) -> str:
    """Serve a thousand clients with a few threads; none that leaves may end it for the others."""
    address = started(trial, answer)
    before = threading.active_count()
    first, second = trial.connect(address, "client 1"), trial.connect(address, "client 2")
    for partner, half in ((first, b"he"), (second, b"wor")):
        partner.send(half)
    for name, partner, half, reply in (
        ("Client 2", second, b"ld\n", b"WORLD\n"),
        ("Client 1", first, b"llo\n", b"HELLO\n"),
    ):
        partner.send(half)
        then = "One `recv` may bring half a line, and the next one somebody else's. Who keeps it?"
        expect_reply(
            partner, reply, f"{name} sent its line in two parts while another did so too", then
        )
    rude = trial.connect(address, "rude client")
    ask(rude, b"hello\n", "A third client sent `hello`")
    rude.reset()
    ask(
        first,
        b"still there?\n",
        "One client reset its connection. Then client 1 sent `still there?`",
        "Where does your code learn of the reset, and what does the exception end?",
    )
    crowd = Crowd(trial, address)
    crowd.come(room_for(_MOST, ends=2), _LEAST, _CROWDED)
    threads = threading.active_count() - before
    if threads > _FEW_THREADS:
        raise NotYet(
            f"{len(crowd.clients):,} clients were served, by {threads:,} more threads.",
            f"at most {_FEW_THREADS}, however many clients come.",
            "Who else than a thread can wait for many sockets?",
        )
    crowd.leave()
    ask(second, b"still there?\n", "The crowd left. Then client 2 sent `still there?`")
    expect_end(first, "Client 1")
    return "All were served at once, and neither resets nor leavers disturbed the others."


@lesson.exercise(
    solution=solutions.keep_accepting,
    hints=(
        "`accept` raises OSError; its `errno` says which. Two of them mean: out of descriptors.",
        "The client still stands in the backlog. Trying again at once fails at once.",
        "`except OSError as error:`, look whether `error.errno` is `errno.EMFILE`, then "
        "`time.sleep(0.1)`, and go on with the loop.",
    ),
)
def keep_accepting(trial: Trial, answer: Any) -> str:
    """Call `admit(connection)` for each client. Without descriptors: pause, then try again."""
    listener = trial.own(ShortListener())
    clients = [trial.connect(listener.getsockname(), "client 1")]
    admitted: list[Any] = []

    def admit(connection: Any) -> None:
        admitted.append(connection)
        for thing in connection if isinstance(connection, tuple) else (connection,):
            if isinstance(thing, socket.socket):
                trial.own(thing)

    def expect_all(within: float, did: str, saw: str, expected: str, then: str = "") -> None:
        trial.wait(lambda: len(admitted) >= len(clients), within)
        expect_connections(list(admitted))
        if len(admitted) >= len(clients):
            return
        if running.ended():
            running.result()
            raise NotYet(f"{did} You returned.", "you go on.", "Who accepts the next client now?")
        raise NotYet(f"{did} {saw}", expected, then)

    running = trial.start(answer, listener, admit)
    where = "Where is {} all the time, and who fetches it from there?"
    expect_all(
        1.6,
        "Client 1 was waiting, and I let the very first `accept` fail with EMFILE.",
        "Then there was room, and client 1 was not admitted.",
        "you try again by yourself, and call `admit(connection)` for each client.",
        where.format("client 1"),
    )
    listener.short, listener.tries = True, 0
    clients.append(trial.connect(listener.getsockname(), "client 2"))
    trial.wait(lambda: listener.tries >= _SPIN, _WALL)
    tries, listener.short = listener.tries, False
    wall = f"I let `accept` fail with EMFILE for {_WALL:g} s, while client 2 was waiting."
    if tries >= _SPIN:
        raise NotYet(
            f"{wall} You tried {_SPIN:,} times before that time was over.",
            "a pause between two tries.",
            "What does a processor do that fails at once, and tries again at once?",
        )
    expect_all(
        1.6,
        wall,
        "Then there was room again, and client 2 was not admitted.",
        "you try again by yourself.",
        where.format("client 2"),
    )
    clients.append(trial.connect(listener.getsockname(), "client 3"))
    expect_all(1.0, "After that a third client came.", "It was not admitted.", "it goes on.")
    return "You paused, did not spin, and admitted who was waiting as soon as there was room."


@lesson.exercise(
    solution=solutions.serve_bounded,
    hints=(
        "Accept everybody. Count those who stay; with the others be brief.",
        "Who leaves must give the place back, in whatever way they leave: `finally`.",
        "`threading.Semaphore(most)`: `acquire(blocking=False)` says at once whether there is "
        "room, `release()` gives it back.",
    ),
)
def serve_bounded(trial: Trial, answer: Any) -> str:
    """Serve `most` clients in upper case; one more gets a line that says so, and a polite end."""
    most = 3
    address = started(trial, answer, most)
    inside = [trial.connect(address, f"client {number}") for number in range(1, most + 1)]
    for number, partner in enumerate(inside, 1):
        ask(partner, b"hello\n", f"`most` is {most}. Client {number} said `hello`")
    for number in (most + 1, most + 2):
        expect_refusal(trial.connect(address, f"client {number}"), number, most)
    for number, partner in enumerate(inside, 1):
        ask(partner, b"hello\n", f"Two were refused. Then client {number} said `hello`")
    inside.pop(0).close()
    newcomer = expect_room(trial, address, "Client 1 closed")
    inside.pop(0).reset()
    expect_room(trial, address, "Client 2 reset its connection")
    expect_refusal(trial.connect(address, "one more"), most + 5, most)
    ask(newcomer, b"hello\n", "After all that the first newcomer said `hello`")
    return "Never more than three, a word for each other one, and room again when one left."


@lesson.exercise(
    solution=solutions.Roster,
    hints=(
        "How many are here says nothing about which numbers were given.",
        "A counter that only goes up: `itertools.count(1)`, and `next` of it.",
        "A dict from number to connection; `leave` deletes the entry, and nothing moves.",
    ),
)
def roster(trial: Trial, answer: Any) -> str:
    """`join(connection)` returns a number never given before; `clients` holds who is here."""
    keeper = trial.call(answer)
    for name in ("join", "leave", "clients"):
        if not hasattr(keeper, name):
            raise NotYet(f"Your object has no `{name}`.", "`join`, `leave` and `clients`.")
    here: dict[int, socket.socket] = {}
    given: list[Any] = []

    def join() -> None:
        sock = trial.pair()[1]
        number = trial.call(keeper.join, trial.own(sock))
        if not isinstance(number, int) or number in given:
            raise NotYet(
                f"The numbers {_listed(given)} had been given, {_listed(list(here))} of them are "
                f"here. The next client got {plain(repr(number), 40)}.",
                "a number that nobody ever had.",
                "What do you make it from, and what does that do when somebody leaves?",
            )
        given.append(number)
        here[number] = sock
        _expect_here(keeper, here, "One more came.")

    for leaver in (None, 0, -1, 1):  # none, the first one, the latest, one in the middle
        for _ in range(3):
            join()
        if leaver is not None:
            number = list(here)[leaver]
            trial.call(keeper.leave, number)
            del here[number]
            _expect_here(keeper, here, f"Client {number} left.")
    for number in list(here):
        trial.call(keeper.leave, number)
        del here[number]
    _expect_here(keeper, here, "All left.")
    join()
    _expect_new_numbers(trial, keeper, given)
    _expect_nothing_kept(trial, keeper)
    return "No number came twice, and nothing is kept for those who have gone."


def _expect_here(keeper: Any, here: dict[int, socket.socket], what: str) -> None:
    clients = keeper.clients
    if not hasattr(clients, "keys"):
        kind = type(clients).__name__
        raise NotYet(f"Your `clients` is a {kind}.", "a dict, from number to connection.")
    if dict(clients) != here:
        raise NotYet(
            f"{what} Your `clients` has the numbers {_listed(list(clients))}.",
            f"{_listed(list(here))}, each with its connection.",
            "What does `leave` change, and what does it leave alone?",
        )


def _expect_new_numbers(trial: Trial, keeper: Any, given: list[Any]) -> None:
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

    for count, number in enumerate(trial.call(come_and_go), 1):
        if not isinstance(number, int) or number in given:
            raise NotYet(
                f"Clients came and went, one after another, each with a new connection. Number "
                f"{count} of them got {plain(repr(number), 40)}, which somebody had before.",
                "a number that nobody ever had.",
                "What do you make it from, and who gets that when a connection is gone?",
            )
        given.append(number)


def _expect_nothing_kept(trial: Trial, keeper: Any) -> None:
    connection = trial.pair()[1]

    def come_and_go() -> None:
        for _ in range(_CYCLES):
            keeper.leave(keeper.join(connection))

    traced = tracemalloc.is_tracing()
    if not traced:
        tracemalloc.start()
    try:
        before = tracemalloc.get_traced_memory()[0]
        trial.call(come_and_go)
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


def _listed(numbers: list[Any]) -> str:
    return plain(", ".join(map(str, numbers)), 60) or "none"
