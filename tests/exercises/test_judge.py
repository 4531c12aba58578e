"""Whatever an answer does, it is met with a sentence about that, and nothing of it is left."""

import asyncio
import contextlib
import os
import queue
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from sockkit import Client, Server
from sockkit.exercises.leftovers import Before
from sockkit.exercises.lesson import Exercise, Lesson
from sockkit.exercises.trial import Trial
from sockkit.exercises.verdict import NotYet, Status, Verdict

KEPT: list[Any] = []
RELEASE = threading.Event()
lesson = Lesson("99")


def model(connection):
    while data := connection.recv(1024):
        connection.sendall(data)


@lesson.exercise(solution=model, hints=("a nudge", "nearly all"))
def echo(trial: Trial, answer: Any) -> str:
    """Send everything back."""
    partner, theirs = trial.pair()
    running = trial.start(answer, theirs)
    partner.send(b"hello")
    got = partner.receive(5)
    if got != b"hello":
        raise NotYet(f"I sent 5 bytes and got {len(got)} back.", "all five.", "Where are they?")
    partner.finish()
    running.result(1.0, expected="it returns.")
    return "It all came back."


def endless_loop(connection):
    while True:
        pass


def sleeps(connection):
    time.sleep(8)


def waits_for_a_lock(connection):
    lock = threading.Lock()
    with lock, lock:
        pass


def waits_for_an_event(connection):
    RELEASE.wait(60)


def waits_for_a_queue(connection):
    queue.Queue().get()


def waits_for_a_thread(connection):
    thread = threading.Thread(target=time.sleep, args=(0.1,), daemon=True)
    thread.start()
    thread.join()
    time.sleep(8)


def waits_for_a_child(connection):
    subprocess.run([sys.executable, "-c", "import time; time.sleep(8)"], check=False)


def receives_for_ever(connection):
    while True:
        if data := connection.recv(10):
            connection.sendall(data)


def accepts_for_ever(connection):
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.accept()


def receives_datagrams(connection):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.bind(("127.0.0.1", 0))
        sock.recv(10)


def serves_for_ever(connection):
    with Server() as server, Client(server.address) as client:
        client.recv(60)


def swallows_every_exception(connection):
    while True:
        with contextlib.suppress(BaseException):
            time.sleep(1)


def swallows_and_keeps_it(connection):
    kept = []
    while True:
        try:
            time.sleep(1)
        except BaseException as error:
            kept.append(error)


def swallows_on_two_levels(connection):
    while True:
        try:
            swallows_in_finally(connection)
        except BaseException:
            continue


def swallows_in_finally(connection):
    while True:
        try:
            try:
                time.sleep(1)
            finally:
                time.sleep(1)
        except BaseException:
            continue


async def async_endless(connection):
    await asyncio.sleep(8)


async def async_ignores_cancel(connection):
    while True:
        with contextlib.suppress(asyncio.CancelledError):
            await asyncio.sleep(8)


async def async_blocks(connection):
    RELEASE.wait(60)


async def async_blocks_in_a_task(connection):
    await asyncio.create_task(async_blocks(connection))


HANGING = [
    (endless_loop, r"was still running, in line \d+: `while True:|pass`"),
    (sleeps, r"`sleeps` was still running, in line \d+: `time.sleep\(8\)`"),
    (waits_for_a_lock, r"line \d+: `with lock, lock:`"),
    (waits_for_an_event, r"line \d+: `RELEASE.wait\(60\)`"),
    (waits_for_a_queue, r"line \d+: `queue.Queue\(\).get\(\)`"),
    (waits_for_a_thread, r"line \d+: `time.sleep\(8\)`"),
    (waits_for_a_child, r"line \d+: `subprocess.run"),
    (receives_for_ever, r"still running when I stopped waiting, in line \d+: `if data"),
    (accepts_for_ever, r"line \d+: `listener.accept\(\)`"),
    (receives_datagrams, r"line \d+: `sock.recv\(10\)`"),
    (serves_for_ever, r"line \d+: `client.recv\(60\)`"),
    (swallows_every_exception, "was still running"),
    (swallows_in_finally, "was still running"),
    (swallows_and_keeps_it, "was still running"),
    (swallows_on_two_levels, "was still running"),
    (async_endless, r"was still running, in line \d+: `await asyncio.sleep\(8\)`"),
    (async_ignores_cancel, "was still running"),
    (async_blocks, r"held its event loop, in line \d+: `RELEASE.wait\(60\)`"),
    (async_blocks_in_a_task, r"held its event loop, in line \d+: `RELEASE.wait\(60\)`"),
]


def raises(connection):
    return inner(connection)


def inner(connection):
    return {}["absent"]


def asserts(connection):
    assert connection is None, "that is\x1b[31m no socket"


def exits(connection):
    sys.exit(3)


def interrupts(connection):
    raise KeyboardInterrupt


def recurses(connection):
    recurses(connection)


def takes_nothing():
    return b"hello"


def prints_megabytes(connection):
    for _ in range(50):
        print("x" * 99_999)


def asks_the_keyboard(connection):
    name = input("Your name? ")
    connection.sendall(name.encode())


def says_what_it_does(connection):
    print("receiving\x1b[2J")


async def forgets_to_await(connection):
    asyncio.sleep(1)


async def returns_a_coroutine(connection):
    return asyncio.sleep(1)


def opens_a_listener(connection):
    KEPT.append(socket.create_server(("127.0.0.1", 0)))
    model(connection)


def opens_two_sockets(connection):
    KEPT.extend(socket.socketpair())
    model(connection)


def drops_a_socket(connection):
    socket.create_server(("127.0.0.1", 0))
    model(connection)


def leaves_a_thread(connection):
    listener = socket.create_server(("127.0.0.1", 0))
    threading.Thread(target=listener.accept, name="doorman").start()
    model(connection)


def leaves_a_looping_thread(connection):
    threading.Thread(target=endless_loop, args=(0,), name="runner").start()
    model(connection)


def fails_in_a_thread(connection):
    thread = threading.Thread(target=inner, args=(0,), name="helper")
    thread.start()
    thread.join()


async def leaves_a_task(connection):
    KEPT.append(asyncio.create_task(asyncio.sleep(8)))
    await async_echo(connection)


async def fails_in_a_task(connection):
    KEPT.append(asyncio.get_running_loop().call_soon(inner, 0))
    await async_echo(connection)
    raise ValueError("too late")


async def blocks_for_a_while(connection):
    model(connection)
    time.sleep(0.6)


def leaves_a_server(connection):
    KEPT.append(Server().start())
    model(connection)


def leaves_a_client(connection):
    with Server() as server:
        KEPT.append(Client(server.address).connect())
        model(connection)


def drops_two_files(connection):
    for path in (__file__, os.devnull):
        open(path, "rb")  # noqa: SIM115 - that is the point
    model(connection)


def drops_a_server(connection):
    Server().start()
    model(connection)


def sets_a_default_timeout(connection):
    socket.setdefaulttimeout(7)
    model(connection)


async def async_echo(connection):
    connection.setblocking(False)
    loop = asyncio.get_running_loop()
    while data := await loop.sock_recv(connection, 100):
        await loop.sock_sendall(connection, data)


ODD = [
    (raises, r"`raises` raised KeyError: 'absent'(?s:.*)in raises, line(?s:.*)in inner, line"),
    (asserts, r"raised AssertionError: that is·\[31m no socket"),
    (exits, "called `sys.exit`"),
    (interrupts, "raised `KeyboardInterrupt`"),
    (recurses, "raised RecursionError(?s:.*)more …"),
    (asks_the_keyboard, "raised EOFError: nobody can type while a check runs"),
    (takes_nothing, "raised TypeError: takes_nothing.. takes 0 positional arguments"),
    (prints_megabytes, "got 0 back(?s:.*)printed(?s:.*)5,000,000 characters in all"),
    (says_what_it_does, r"Your code printed:\n    receiving·\[2J"),
    (forgets_to_await, "coroutine 'sleep' was never awaited"),
    (returns_a_coroutine, "returned the coroutine `sleep`, which has never been awaited"),
    (opens_a_listener, r"It all came back. But you left a socket open: a listener on port \d+"),
    (opens_two_sockets, "But you left 2 sockets open"),
    (drops_a_socket, "But you never closed a socket: Python did"),
    (
        drops_two_files,
        "It all came back. But you never closed a file: Python did(?!.*closed a file)",
    ),
    (leaves_a_thread, "your thread `doorman` was still running; I ended it"),
    (leaves_a_looping_thread, "your thread `runner` was still running, in line .*; I ended it"),
    (fails_in_a_thread, "In your thread helper:\n(?s:.*)KeyError: 'absent'"),
    (leaves_a_task, "But you left a task running in the event loop"),
    (fails_in_a_task, "raised ValueError: too late(?s:.*)Also:(?s:.*)KeyError: 'absent'"),
    (blocks_for_a_while, r"held the event loop for 0\.\d s, in line \d+: `time.sleep\(0.6\)`"),
    (leaves_a_server, r"you left a `Server` running, on port \d+"),
    (leaves_a_client, "you left a `Client` unclosed"),
    (drops_a_server, "you never closed a Server"),
    (sets_a_default_timeout, "you called `socket.setdefaulttimeout`"),
    (42, "You gave me an `int`, which I cannot call"),
    (b"hello", "You gave me a `bytes`"),
    (contextlib.ExitStack(), "You gave me an `ExitStack`"),
]


@pytest.fixture(autouse=True)
def nothing_is_left() -> Iterator[None]:
    before = Before()
    yield
    KEPT.clear()
    assert before.new_sockets() == []
    assert before.new_threads() == []


def checked(answer: Any) -> Verdict:
    start = time.monotonic()
    verdict = echo.check(answer)
    assert time.monotonic() - start < 5
    return verdict


def off_the_main_thread(function: Callable[[], Verdict]) -> Verdict:
    found: list[Verdict] = []
    thread = threading.Thread(target=lambda: found.append(function()))
    thread.start()
    thread.join()
    return found[0]


def assert_says(verdict: Verdict, pattern: str) -> None:
    assert verdict.status is Status.NOT_YET, verdict
    assert not verdict
    assert re.search(pattern, repr(verdict)), verdict


def named(values: list[tuple[Any, str]]) -> list[Any]:
    return [
        pytest.param(*value, id=getattr(value[0], "__name__", type(value[0]).__name__))
        for value in values
    ]


@pytest.mark.parametrize(("answer", "pattern"), named(HANGING))
def test_a_hanging_answer_is_told_where_and_ended(answer: Any, pattern: str) -> None:
    verdict = checked(answer)
    assert_says(verdict, pattern)
    assert "still runs" not in repr(verdict)
    assert "Also:" not in repr(verdict)


@pytest.mark.parametrize(
    "answer", [endless_loop, receives_for_ever, accepts_for_ever, async_endless]
)
def test_off_the_main_thread_loops_and_sockets_are_ended(answer: Any) -> None:
    verdict = off_the_main_thread(lambda: checked(answer))
    assert_says(verdict, "still running")
    assert "still runs" not in repr(verdict)


@pytest.mark.parametrize("answer", [waits_for_an_event, async_blocks])
def test_off_the_main_thread_what_sleeps_is_named_and_ends_when_it_wakes(answer: Any) -> None:
    before = Before()
    try:
        verdict = off_the_main_thread(lambda: checked(answer))
        assert_says(verdict, f"your thread `answer {answer.__name__}` still runs, in line")
    finally:
        RELEASE.set()
        for thread in before.new_threads():
            thread.join(5)
        RELEASE.clear()


@pytest.mark.parametrize(("answer", "pattern"), named(ODD))
def test_an_odd_answer_gets_a_sentence_about_just_that(answer: Any, pattern: str) -> None:
    assert_says(checked(answer), pattern)


def test_a_thread_that_waits_is_named_since_nothing_can_end_it() -> None:
    def wait() -> None:
        with contextlib.suppress(SystemExit):
            RELEASE.wait(60)

    def leaves_a_sleeper(connection):
        threading.Thread(target=wait, name="sleeper").start()
        model(connection)

    before = Before()
    try:
        verdict = checked(leaves_a_sleeper)
        assert_says(
            verdict, "your thread `sleeper` still runs, in line .*Python can't end a thread"
        )
    finally:
        RELEASE.set()
        for thread in before.new_threads():
            thread.join(5)
        RELEASE.clear()


@pytest.mark.parametrize("answer", [model, async_echo, lambda c: model(c)])
def test_a_right_answer_is_solved_in_a_running_loop_and_without(answer: Any) -> None:
    async def cell() -> Verdict:
        return checked(answer)

    assert checked(answer)
    assert asyncio.run(cell(), debug=False)
    assert off_the_main_thread(lambda: checked(answer))


def test_an_interrupted_answer_may_clean_up() -> None:
    cleaned = []

    def cleans_up(connection):
        try:
            time.sleep(60)
        finally:
            time.sleep(0.2)
            cleaned.append("all")

    assert_says(checked(cleans_up), "was still running")
    assert cleaned == ["all"]


def test_the_kit_still_works_after_an_answer_that_left_it_open() -> None:
    for answer in (leaves_a_server, leaves_a_client, serves_for_ever):
        checked(answer)
    with Server(lambda c, text: c.send(text)) as server, Client(server.address) as client:
        client.send("hello")
        assert client.recv() == "hello"


def test_a_hanging_answer_does_not_harm_the_loop_it_was_checked_in() -> None:
    async def cell() -> str:
        task = asyncio.current_task()
        assert_says(checked(async_blocks), "held its event loop")
        assert asyncio.current_task() is task
        return await asyncio.wait_for(asyncio.sleep(0, "the loop goes on"), 1)

    assert asyncio.run(cell(), debug=False) == "the loop goes on"


@pytest.mark.parametrize("answer", [sleeps, swallows_in_finally, async_endless, endless_loop])
@pytest.mark.skipif(os.name != "posix", reason="no thread can be sent a signal on Windows")
def test_an_interrupt_ends_the_check(answer: Any) -> None:
    begun = threading.Event()

    def press_stop() -> None:
        begun.wait(5)
        signal.pthread_kill(threading.main_thread().ident, signal.SIGINT)

    def says_when_it_begins(connection):
        begun.set()
        return answer(connection)

    finger = threading.Thread(target=press_stop)
    finger.start()
    start = time.monotonic()
    with pytest.raises(KeyboardInterrupt):
        echo.check(says_when_it_begins)
    assert time.monotonic() - start < 4
    finger.join()
    assert checked(model)


def test_what_a_check_replaces_it_puts_back() -> None:
    def state() -> tuple[Any, ...]:
        return (
            signal.getsignal(signal.SIGINT),
            sys.stdout,
            sys.stderr,
            threading.excepthook,
            sys.gettrace(),
            socket.getdefaulttimeout(),
            asyncio._get_running_loop(),
        )

    before = state()
    for answer in (model, swallows_every_exception, sets_a_default_timeout, fails_in_a_thread):
        checked(answer)
        assert state() == before


def test_one_check_at_a_time() -> None:
    inner: list[Verdict] = []

    def checks_itself(connection):
        inner.append(echo.check(model))
        model(connection)

    assert checked(checks_itself)
    assert_says(inner[0], "Another check is at work")
    assert checked(model)


def test_a_broken_check_says_that_it_is_the_broken_one() -> None:
    @Lesson("98").exercise(solution=model, hints=())
    def broken(trial: Trial, answer: Any) -> str:
        """Break."""
        return [][0]

    assert_says(broken.check(model), "My own check failed, with IndexError")


def test_a_check_that_needs_too_long_says_where_the_answer_was() -> None:
    @Lesson("98").exercise(solution=model, hints=())
    def patient(trial: Trial, answer: Any) -> str:
        """Wait for ever."""
        trial.start(answer, None)
        while True:
            trial.left(1)
            time.sleep(0.05)

    verdict = patient.check(sleeps)
    assert_says(verdict, r"My time was up .* in line \d+: `time.sleep\(8\)`")
    assert verdict.saw.count("running") == 1
    assert verdict.expected == "Wait for ever."


def test_an_exception_that_was_asked_for_is_no_fault() -> None:
    @Lesson("98").exercise(solution=model, hints=())
    def refuses(trial: Trial, answer: Any) -> str:
        """Raise ValueError."""
        error = trial.start(answer).error()
        if not isinstance(error, ValueError):
            raise NotYet(f"You raised {error!r}.")
        return "It refused."

    def right() -> None:
        raise ValueError

    assert refuses.check(right)
    assert_says(refuses.check(lambda: 1), "You raised None")
    assert_says(refuses.check(lambda: 1 / 0), "ZeroDivisionError")


def test_answers_may_run_beside_each_other() -> None:
    @Lesson("98").exercise(solution=model, hints=())
    def meet(trial: Trial, answer: Any) -> str:
        """Wait for the other."""
        barrier = threading.Barrier(2, timeout=3)
        pair = [trial.start_beside(answer, barrier) for _ in range(2)]
        for running in pair:
            running.result()
        return "They met."

    assert meet.check(lambda barrier: barrier.wait())


def test_the_exercise_remembers_that_it_was_solved() -> None:
    course = Lesson("97")

    @course.exercise(solution=model, hints=("one", "two"))
    def anything(trial: Trial, answer: Any) -> str:
        """Be called."""
        trial.call(answer)
        return "You were."

    def fails() -> None:
        raise OSError

    assert repr(course.summary()).startswith("Lesson 97: 0 of 1")
    assert anything.check(...).status is Status.NOT_ATTEMPTED
    assert not anything.check(fails)
    assert "Not yet" in repr(course.summary())
    assert anything.check(lambda: 1)
    assert not anything.check(fails)
    assert repr(course.summary()) == "Lesson 97: 1 of 1 exercises solved\nanything  Solved"


def test_hints_come_one_by_one_and_then_end() -> None:
    exercise: Exercise = Lesson("97").exercise(solution=model, hints=("one", "two"))(lambda_check)
    said = [repr(exercise.hint()) for _ in range(4)]
    assert said[:2] == ["Hint 1 of 2: one", "Hint 2 of 2: two"]
    assert said[2] == said[3]
    assert "lambda_check.solution()" in said[3]


def lambda_check(trial: Trial, answer: Any) -> str:
    """Nothing is asked."""
    return ""
