"""Lesson 06: who is here, what happened, and a window that shows it."""

import inspect
import itertools
from collections.abc import Callable
from typing import Any

from sockkit.exercises.controls import Field
from sockkit.exercises.host import Host
from sockkit.exercises.lesson import Lesson
from sockkit.exercises.meanwhile import Meanwhile, Patience, wait
from sockkit.exercises.partner import Partner
from sockkit.exercises.solutions import nb06 as solutions
from sockkit.exercises.trial import Trial
from sockkit.exercises.verdict import NotYet
from sockkit.sync import Server
from sockkit.text import plain

lesson = Lesson("06")
summary = lesson.summary

_MOST = 12  # places of one call at which something happens meanwhile
_LINES = 5
_QUIET = 0.05  # seconds in which a client that should get nothing gets nothing


@lesson.exercise(
    solution=solutions.Roster,
    hints=(
        "Keep a dictionary from number to connection. Hand out a copy of it, not the dictionary.",
        "`dict.copy` copies in one step; a loop of yours takes many, and clients come meanwhile.",
        "`types.MappingProxyType(mapping)` lets others look, and not change. But it is a view of "
        "what you give it: give it a copy.",
    ),
)
def snapshot(trial: Trial, answer: Any) -> str:
    """A class for callbacks: `snapshot()` maps number to connection, and never changes after."""
    room = _Room(trial, answer, "snapshot")
    for _ in range(3):
        room.join()
    first = room.ask()
    _expect_keys(trial, first, [1, 2, 3], "Three clients came.")
    if _look(trial, lambda: [first[number].number for number in (1, 2, 3)]) != [1, 2, 3]:
        raise NotYet("`snapshot()[1]` is not client 1's connection.", "the connection, by number.")
    room.leave(2)
    now = room.ask()
    _expect_keys(trial, now, [1, 3], "Client 2 left.")
    _expect_keys(
        trial,
        first,
        [1, 2, 3],
        "I took a snapshot of three clients, and then client 2 left.",
        "Is what you hand out a copy, or a view of what you keep?",
    )
    for what, change in _CHANGES.items():
        room.must_refuse(what, change)
    for point in range(1, _MOST):
        if not room.join_during(point):
            break
    return "Each snapshot was right when it was taken, stayed as it was, and could not be changed."


@lesson.exercise(
    solution=solutions.News,
    hints=(
        "Two snapshots can't tell who came and left between them. The callbacks can.",
        "`queue.SimpleQueue` is made for two threads: `put` in the callbacks, `get` in `news`.",
        "`get()` waits when there is nothing. How many are there? `qsize()`. Or `get_nowait()`, "
        "and `queue.Empty`.",
    ),
)
def news(trial: Trial, answer: Any) -> str:
    """A class for callbacks: `news()` lists `1 joined`, `1 left`, …, in order, each told once."""
    room = _Room(trial, answer, "news")
    for _ in range(3):
        room.join()
    _expect_news(room, ["1 joined", "2 joined", "3 joined"], "Three clients came, one by one.")
    _expect_news(room, [], "Nothing has happened since I asked last.")
    room.join()
    room.leave(4)
    room.leave(2)
    then = "What do you know of somebody who is not here at either look?"
    said = "Client 4 came and left, then client 2 left. After that I asked."
    _expect_news(room, ["4 joined", "4 left", "2 left"], said, then)
    for point in range(1, _MOST):
        meanwhile = room.join_during(point)
        if not meanwhile:
            break
        told = [*_as_list(meanwhile.running.result()), *_as_list(room.ask())]
        expected = [f"{room.count} joined"]
        if told != expected:
            raise NotYet(
                f"Client {room.count} came while `news` was at work, just before "
                f"{meanwhile.place}. In that call and the next, I was told `{_shown(told)}`.",
                f"`{_shown(expected)}`, in one of the two.",
                "What may happen between two of your lines?",
            )
    return "Everybody who came or left was told of once, in order, however bad the moment."


@lesson.exercise(
    solution=solutions.Log,
    hints=(
        "`add` only keeps the text. `flush` alone sets `field.value`, once.",
        "`collections.deque(maxlen=5)` forgets the oldest by itself; `copy()` is one step.",
        "Do you note that there is something new? A text may come while you show the others.",
    ),
)
def log(trial: Trial, answer: Any) -> str:
    """`add(text)` on any thread; `flush()` shows the newest five lines in `field.value`."""
    field = Field()
    keeper = trial.call(answer, field)
    _must_have(keeper, "add", "flush")
    added = itertools.count(1)
    seen = [0]

    def on_message(connection: Any, text: str) -> None:
        keeper.add(text)
        seen[0] = next(added)

    host = trial.serve(on_message=on_message)
    partner = trial.connect(host.address)
    said: list[str] = []

    def say(*texts: str) -> None:
        partner.send("".join(f"{text}\n" for text in texts).encode())
        said.extend(texts)

    def flush() -> None:
        trial.start_beside(keeper.flush).result(1.0, "it returns at once.")

    def shows(when: str, changes: int) -> None:
        made, expected = len(field.changes) - changes, "\n".join(said[-_LINES:])
        if field.value != expected:
            got = plain(repr(field.value), 120)
            raise NotYet(f"{when} `field.value` is `{got}`.", f"`{plain(repr(expected), 120)}`.")
        if made > 1:
            raise NotYet(
                f"{when} One `flush` changed `field.value` {made} times.",
                "once: each change is a message to the page.",
                "Can you make the whole text first?",
            )

    def keep_off(begun: int) -> None:
        if len(field.changes) > begun:
            raise NotYet(
                "A client said something, and `field.value` changed on the server's thread.",
                "nobody but `flush` touches the field.",
                "What must `add` do, so that `flush` can show it later?",
            )

    for texts in (("one", "two"), ("three",), tuple(f"line {n}" for n in range(100))):
        changes = len(field.changes)
        say(*texts)
        wait(trial, lambda: seen[0] == len(said))
        keep_off(changes)
        flush()
        shows(f"{len(said)} messages came, and I called `flush`.", changes)
    patience = Patience(trial)
    for point in range(1, _MOST):
        if patience.at_end:
            break
        changes = len(field.changes)
        say(f"before point {point}")
        wait(trial, lambda: seen[0] == len(said))
        keep_off(changes)
        meanwhile = Meanwhile(trial, keeper.flush, point)
        if not meanwhile.stopped():
            break
        before = len(field.changes)
        say(f"at point {point}")
        patience.wait(lambda: seen[0] == len(said))
        others = {thread for thread, _ in field.changes[before:]}
        meanwhile.go_on()
        if others:
            keep_off(before)
        meanwhile.running.result(1.0)
        patience.wait_after(lambda: seen[0] == len(said))
        changes = max(changes, len(field.changes))
        flush()
        shows(
            f"A message came while `flush` was at work, just before {meanwhile.place}. "
            "I called `flush` once more.",
            changes,
        )
    return "Nothing was lost, nothing was shown by the wrong thread, and each flush was one change."


@lesson.exercise(
    solution=solutions.my_panel,
    hints=(
        "Each button gets a function of its own: `window.send.on_click(send)`. It is called with "
        "the button.",
        "The fields are read when the click comes, not when the panel is made.",
        "`try` the send, and in `except Exception as error:` set `window.error.value`.",
    ),
)
def panel(trial: Trial, answer: Any) -> str:
    """A `Window` whose buttons send to one client or to all; `error.value` says what failed."""
    with Server() as server:
        window = trial.call(answer, server)
        _must_have(window, *_PARTS)
        partners = []
        for number in (1, 2, 3):
            partners.append(trial.connect(server.address, f"client {number}"))
            wait(trial, lambda number=number: number in server.clients)  # type: ignore[misc]
        for round_, press in enumerate((trial.start, trial.start_beside)):
            _clicks(_Clicks(window, partners, press), round_)
    return "Both buttons did their work, again and again, on two threads, and told what failed."


_PARTS = ("message", "number", "send", "broadcast", "error")


class _Clicks:
    """Somebody at the window of the answer, with three clients that listen."""

    def __init__(self, window: Any, partners: list[Partner], press: Callable[..., Any]) -> None:
        self.window = window
        self.partners = partners
        self._press = press

    def click(self, button: str, **fields: Any) -> None:
        """Fill in the fields, and click."""
        for name, value in fields.items():
            getattr(self.window, name).value = value
        running = self._press(getattr(self.window, button).click)
        running.call.name = f"{button}.click"
        running.result(1.0, "a click only hands its work over, and returns.")

    def expect(self, said: str, text: str, *numbers: int, quiet: bool = False) -> None:
        """These clients get the text; `quiet`: and then nobody anything."""
        for number, partner in enumerate(self.partners, 1):
            if number in numbers:
                got = partner.receive_line().decode(errors="replace")
                if got != f"{text}\n":
                    what = f"got `{plain(got.rstrip(), 60)}`" if got else "got nothing"
                    raise NotYet(f"{said} Client {number} {what}.", f"`{text}`.")
        for number, partner in enumerate(self.partners, 1) if quiet else ():
            got = partner.receive(100, within=_QUIET).decode(errors="replace")
            if got:
                text = plain(got.rstrip(), 60)
                raise NotYet(
                    f"{said} Client {number} got `{text}`.", "nothing (more) for that one."
                )


def _clicks(at: _Clicks, round_: int) -> None:
    for number in (2, 3):
        text = f"only you {round_}"
        at.click("send", number=number, message=text)
        at.expect(f"I set `number` to {number}, and clicked Send.", text, number, quiet=number == 2)
    for text in (f"to all {round_}", f"once more {round_}"):
        at.click("broadcast", message=text)
        at.expect("I clicked Broadcast.", text, 1, 2, 3)
    for number in (7 + round_, 17 + round_):
        at.click("send", number=number)
        told = str(at.window.error.value)
        if str(number) not in told:
            raise NotYet(
                f"I clicked Send for client {number}, who is not here. `error.value` is "
                f"`{plain(told, 80)}`.",
                f"a text with the number {number}: an exception in a callback is shown nowhere.",
                "Who could catch it, and put it where one can read it?",
            )
    at.expect("I clicked Send for clients who are not here.", "", quiet=True)


class _Room:
    """Clients that come and go at a server with the callbacks of the answer."""

    def __init__(self, trial: Trial, answer: Any, method: str) -> None:
        self.count = 0
        self._trial = trial
        self._told = 0
        self._partners: dict[int, Partner] = {}
        keeper = trial.call(answer)
        _must_have(keeper, "on_connect", "on_disconnect", method)
        self._method: Callable[[], Any] = getattr(keeper, method)
        self._host: Host = trial.serve(
            on_connect=self._counted(keeper.on_connect),
            on_disconnect=self._counted(keeper.on_disconnect),
        )
        self._patience = Patience(trial)

    def join(self) -> None:
        """One more client; returns when the callback has."""
        told = self._told + 1
        self._connect()
        wait(self._trial, lambda: self._told >= told)

    def _connect(self) -> None:
        self.count += 1
        partner = self._trial.connect(self._host.address, f"client {self.count}")
        self._partners[self.count] = partner

    def leave(self, number: int) -> None:
        """This client closes."""
        told = self._told + 1
        self._partners[number].close()
        wait(self._trial, lambda: self._told >= told)

    def ask(self) -> Any:
        """Call the method of the answer, on a thread that is not the server's."""
        return self._trial.start_beside(self._method).result(1.0, "it returns at once.")

    def join_during(self, point: int) -> Meanwhile | None:
        """A client comes while the method is at work; None if it has no such point."""
        if self._patience.at_end:
            return None
        meanwhile = Meanwhile(self._trial, self._method, point)
        if not meanwhile.stopped():
            meanwhile.running.result()
            return None
        told = self._told + 1
        self._connect()
        self._patience.wait(lambda: self._told >= told)
        meanwhile.go_on()
        meanwhile.running.result(1.0)
        self._patience.wait_after(lambda: self._told >= told)
        return meanwhile

    def must_refuse(self, what: str, change: Callable[[Any, Any], None]) -> None:
        """A change of the snapshot that must raise an exception."""
        snapshot = self.ask()
        value = next(iter(self._host.server.clients.values()))
        done = self._trial.start_beside(change, snapshot, value)
        if done.error(1.0) is None:
            raise NotYet(
                f"I took a snapshot, and {what}. Nothing kept me from it.",
                "an exception: a snapshot can't be changed.",
                "Which mapping can be looked at, and not changed?",
            )

    def _counted(self, callback: Callable[..., Any]) -> Callable[..., Any]:
        async def finished(result: Any) -> None:
            await result
            self._told += 1

        def counted(*args: Any) -> Any:
            result = callback(*args)
            if inspect.isawaitable(result):
                return finished(result)
            self._told += 1
            return None

        return counted


def _put(snapshot: Any, connection: Any) -> None:
    snapshot[99] = connection


def _take(snapshot: Any, connection: Any) -> None:
    del snapshot[connection.number]


_CHANGES = {"put a client 99 into it": _put, "deleted client 1 from it": _take}


def _expect_keys(trial: Trial, snapshot: Any, keys: list[int], said: str, then: str = "") -> None:
    got = _look(trial, lambda: list(snapshot))
    if got != keys:
        shown = plain(repr(got), 80)
        raise NotYet(
            f"{said} The snapshot has `{shown}`.", f"its keys are the numbers `{keys}`.", then
        )


def _look(trial: Trial, look: Callable[[], Any]) -> Any:
    """The value of something that the answer made, read off the check's own thread."""
    look.__name__ = "snapshot"
    return trial.start_beside(look).result(1.0)


def _expect_news(room: _Room, expected: list[str], said: str, then: str = "") -> None:
    got = room.ask()
    if _as_list(got) != expected:
        raise NotYet(f"{said} `news()` returned `{_shown(got)}`.", f"`{_shown(expected)}`.", then)


def _as_list(value: Any) -> list[Any]:
    return list(value) if isinstance(value, list | tuple) else [value]


def _shown(value: Any) -> str:
    return plain(repr(value), 120)


def _must_have(thing: Any, *names: str) -> None:
    missing = [name for name in names if not hasattr(thing, name)]
    if missing:
        kind = type(thing).__name__
        raise NotYet(f"You gave me a `{kind}` without `{missing[0]}`.", f"`{'`, `'.join(names)}`.")
