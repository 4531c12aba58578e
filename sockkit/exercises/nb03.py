"""Lesson 03: any number of clients, and what to do about the one that is too many."""

import socket
import sys
from typing import Any

from sockkit.exercises.crowd import Crowd, come_and_reset
from sockkit.exercises.leftovers import children
from sockkit.exercises.lesson import Lesson
from sockkit.exercises.rosters import (
    called,
    expect_here,
    expect_new_numbers,
    expect_nothing_kept,
    expect_own_clients,
    listed,
)
from sockkit.exercises.shouting import (
    ask,
    expect_bound_at_once,
    expect_end,
    expect_refusal,
    expect_reply,
    expect_room,
    started,
)
from sockkit.exercises.solutions import nb03 as solutions
from sockkit.exercises.trial import Trial
from sockkit.exercises.verdict import NotYet
from sockkit.exercises.walled import (
    LONGEST,
    PATIENCE,
    PAUSE,
    SPIN,
    ShortListener,
    expect_connections,
)
from sockkit.lab.descriptors import room_for
from sockkit.text import plain

lesson = Lesson("03")
summary = lesson.summary

_MOST, _LEAST = 1000, 100  # clients
_CROWDED = 0.8  # seconds for a crowd to come
_FEW = 20  # threads and processes


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
    before = _workers()
    first = trial.connect(address, "client 1")
    ask(first, b"hello\n", "Client 1 sent `hello`")
    again = "What does your code do when it has answered a line?"
    ask(first, b"me again\n", "Client 1 sent a second line, `me again`", again)
    second = trial.connect(address, "client 2")
    alone = "What does your server wait for while client 2 waits for it?"
    ask(second, b"me too\n", "Client 2 came too, and sent `me too`", alone)
    rude = trial.connect(address, "rude client")
    first.send(b"he")
    second.send(b"wor")
    then = "One `recv` may bring half a line, and the next one somebody else's. Who keeps it?"
    for _ in range(2):  # then a loop has had its turn with both halves
        halves = "Clients 1 and 2 had sent half a line each. A third one sent `meanwhile`"
        ask(rude, b"meanwhile\n", halves, then)
    for name, partner, half, reply in (
        ("Client 2", second, b"ld\n", b"WORLD\n"),
        ("Client 1", first, b"llo\n", b"HELLO\n"),
    ):
        partner.send(half)
        expect_reply(
            partner, reply, f"{name} sent its line in two parts while another did so too", then
        )
    many = "How many lines may one `recv` bring?"
    ask(second, b"two\nlines\n", "Client 2 sent two lines at once", many)
    rude.reset()
    ask(
        first,
        b"still there?\n",
        "One client reset its connection. Then client 1 sent `still there?`",
        "Where does your code learn of the reset, and what does the exception end?",
    )
    crowd = Crowd(trial, address)
    crowd.come(_FEW + 5, _FEW + 5, 0)  # processes are slow to start: ask before there are many
    _expect_few(crowd, _workers() - before)
    hasty = come_and_reset(trial, address)
    ask(
        first,
        b"still there?\n",
        f"{hasty} clients reset their connections as soon as they had come, some after a line. "
        "Then client 1 sent `still there?`",
        "Which calls of yours meet a connection that has ended meanwhile?",
    )
    crowd.come(room_for(_MOST, ends=2), _LEAST, _CROWDED)
    _expect_few(crowd, _workers() - before)
    crowd.leave()
    ask(second, b"still there?\n", "The crowd left. Then client 2 sent `still there?`")
    expect_end(first, "Client 1")
    return "All were served at once, and neither resets nor leavers disturbed the others."


def _workers() -> int:
    """Threads of this process, those that `threading` does not know too, and its children."""
    return len(sys._current_frames()) + len(children())


def _expect_few(crowd: Crowd, workers: int) -> None:
    if workers > _FEW:
        raise NotYet(
            f"{len(crowd.clients):,} clients were served, by {workers:,} more threads and "
            "processes.",
            f"at most {_FEW}, however many clients come.",
            "Who else than a thread can wait for many sockets?",
        )


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
    admitted: list[Any] = []

    def admit(connection: Any) -> None:
        admitted.append(connection)
        for thing in connection if isinstance(connection, tuple) else (connection,):
            if isinstance(thing, socket.socket):
                trial.own(thing)

    def expect(count: int, did: str, then: str = "") -> None:
        trial.wait(lambda: len(admitted) >= count, PATIENCE)
        expect_connections(list(admitted))
        if len(admitted) < count:
            expect_still_there(did)
            raise NotYet(
                f"{did} Client {count} was not admitted within {PATIENCE:g} s.",
                "you call `admit(connection)` for each client of `listener`.",
                then,
            )

    def expect_still_there(did: str) -> None:
        if running.ended():
            running.result()
            raise NotYet(f"{did} You returned.", "you go on.", "Who accepts the next client now?")

    running = trial.start(answer, listener, admit)
    trial.connect(listener.getsockname(), "client 1")
    expect(1, "The first client came.")
    listener.begin_wall()
    trial.connect(listener.getsockname(), "client 2")
    trial.wait(listener.tried_enough, LONGEST)
    tries = listener.tries
    wall = "I let `accept` fail with EMFILE while client 2 was waiting."
    where = "Where is client 2 all the time, and who fetches it from there?"
    if tries >= SPIN:
        raise NotYet(
            f"{wall} You tried {SPIN:,} times, and more, within a second.",
            "a pause between two tries.",
            "What does a processor do that fails at once, and tries again at once?",
        )
    if tries < 2:
        expect_connections(list(admitted))
        expect_still_there(wall)
        raise NotYet(
            f"{wall} In {PATIENCE:g} s you tried {'only once' if tries else 'not at all'}.",
            f"you try again by yourself, after a pause of {PAUSE:g} s at most.",
            where,
        )
    if listener.kept_busy():
        raise NotYet(
            f"{wall} You waited between two tries, and kept the processor at work all the time.",
            "a pause in which others have it.",
            "What does a loop do that only looks at the clock?",
        )
    listener.end_wall()
    expect(2, f"{wall} Then there was room again.", where)
    trial.connect(listener.getsockname(), "client 3")
    expect(3, "After all that a third client came.")
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
    most = 4
    address = started(trial, answer, most)
    inside = [trial.connect(address, f"client {number}") for number in range(1, most + 1)]
    for number, partner in enumerate(inside, 1):
        line = f"i am {number}\n".encode()
        ask(partner, line, f"`most` is {most}. Client {number} said `i am {number}`")
    for _ in range(3):  # a thread of client 1 may come late, and read both parts at once
        inside[0].send(b"two ")
        for _ in range(2):  # then a loop has had its turn with that half
            ask(inside[1], b"meanwhile\n", "Client 1 sent half a line. Client 2 said `meanwhile`")
        inside[0].send(b"parts\n")
        kept = "One `recv` may bring half a line. Who keeps it?"
        expect_reply(inside[0], b"TWO PARTS\n", "Client 1 sent `two parts` in two parts", kept)
    for number in (most + 1, most + 2):
        expect_refusal(trial.connect(address, f"client {number}"), number, most)
    for number, partner in enumerate(inside, 1):
        ask(partner, b"hello\n", f"Two were refused. Then client {number} said `hello`")
    hasty = come_and_reset(trial, address)
    ask(
        inside[0],
        b"still there?\n",
        f"{hasty} more came, and reset their connections at once. Then client 1 said "
        "`still there?`",
        "Somebody leaves before you could say no. What do your calls do then?",
    )
    inside.pop(0).close()
    newcomer = expect_room(trial, address, "Client 1 closed")
    inside.pop(0).reset()
    inside.append(expect_room(trial, address, "Client 2 reset its connection"))
    expect_refusal(trial.connect(address, "one more"), most + 5, most)
    ask(newcomer, b"hello\n", "After all that the first newcomer said `hello`")
    for partner in (newcomer, *inside):
        partner.close()
    expect_bound_at_once(trial, address, most)
    return "Never more than `most`, a word for each other one, and room again when one left."


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
    given: list[int] = []

    def join() -> None:
        sock = trial.own(trial.pair()[1])
        number = called(trial, keeper.join, sock)
        if not isinstance(number, int):
            raise NotYet(
                f"`join` returned `{plain(repr(number), 40)}`.",
                "a whole number, an `int`.",
            )
        if number in given:
            raise NotYet(
                f"The numbers {listed(given)} had been given, {listed(list(here))} of them are "
                f"here. The next client got {number}.",
                "a number that nobody ever had.",
                "What do you make it from, and what does that do when somebody leaves?",
            )
        given.append(number)
        here[number] = sock
        kept = "What does `join` keep, and under which number?"
        expect_here(keeper, here, "One more came.", kept)

    def leave(number: int) -> None:
        called(trial, keeper.leave, number)
        del here[number]

    for leaver in (None, 0, -1, 1):  # none, the first one, the latest, one in the middle
        for _ in range(3):
            join()
        if leaver is not None:
            number = list(here)[leaver]
            leave(number)
            expect_here(keeper, here, f"Client {number} left.")
    expect_own_clients(trial.call(answer))
    for number in list(here):
        leave(number)
    expect_here(keeper, here, "All left.")
    join()
    expect_new_numbers(trial, keeper, given)
    expect_nothing_kept(trial, keeper)
    return "No number came twice, and nothing is kept for those who have gone."
