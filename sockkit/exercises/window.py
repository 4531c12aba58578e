"""Somebody at the window of a panel: fills in its fields, clicks, and looks who got what."""

import threading
from collections.abc import Callable, Sequence
from typing import Any

from sockkit.exercises.partner import Partner
from sockkit.exercises.trial import Trial
from sockkit.exercises.verdict import NotYet
from sockkit.text import plain

PARTS = ("message", "number", "send", "broadcast", "error")

_QUIET = 0.05  # seconds in which a client that should get nothing gets nothing
_SOON = 0.5  # seconds for another thread to tell what became of a click
_AT_ONCE = 1.0  # seconds for a click, on a busy machine
_WITH_TRACEBACK = 2.5  # seconds for one that raises: a notebook writes a long traceback
_TWO_LINES = "one line\nand another"  # which the kit refuses to send


class Visitor:
    """Somebody at the window of the answer, with three clients that listen.

    Args:
        trial: of the check that this is for.
        window: of the answer.
        partners: clients 1, 2 and 3.
        press: how a click is called.
        round_: 0 or 1, so that nothing is said twice.
    """

    def __init__(
        self,
        trial: Trial,
        window: Any,
        partners: Sequence[Partner],
        press: Callable[..., Any],
        round_: int,
    ) -> None:
        self._trial = trial
        self._window = window
        self._partners = partners
        self._press = press
        self._round = round_
        self._at_first = str(self._of("message", "value"))  # when the panel was made
        self._told = ""  # the last error

    def click_all(self) -> None:
        """Click both buttons, several times, for clients who are here and who are not.

        Raises:
            NotYet: somebody got what was not for them, or an error is not told, or told too long.
        """
        before = set(threading.enumerate())
        for number in (2, 3):
            text = f"only you {self._round}"
            self._click("send", number=number, message=text)
            said = f"I set `number` to {number} and `message` to `{text}`, and clicked Send."
            self._expect(said, text, number, quiet=number == 2)
        for text in (f"to all {self._round}", f"once more {self._round}"):
            self._click("broadcast", message=text)
            said = f"I set `message` to `{text}`, and clicked Broadcast."
            self._expect(said, text, 1, 2, 3)
        # Or a thread that ends an earlier click could wipe out what a later one tells.
        self._trial.wait(lambda: set(threading.enumerate()) <= before, _SOON)
        for button, numbers in (("send", (1,)), ("broadcast", (1, 2, 3))):
            self._fail(7 + self._round)
            self._fail(17 + self._round)
            if button == "send":
                self._expect("I clicked Send for clients who are not here.", "", quiet=True)
            text = f"well again {self._round}"
            self._click(button, number=1, message=text)
            said = f"Then I set `number` to 1, and clicked {button.capitalize()}."
            self._expect(said, text, *numbers, quiet=button == "send")
            self._expect_no_error(button)
            if self._round == 0:
                self._fail_with_two_lines(button)

    def _fail(self, number: int) -> None:
        """Send to nobody; it must be told."""
        self._click("send", fails=True, number=number, message="is anybody there?")
        if not self._error_is(lambda told: str(number) in told):
            raise NotYet(
                f"I clicked Send for client {number}, who is not here, and `error.value` is "
                f"{_shown(self._told)}.",
                f"a text with the number {number}.",
                "Who could catch the exception, and put it where one can read it? (If you see its "
                "traceback above: a click by hand has no cell, and shows none.)",
            )

    def _fail_with_two_lines(self, button: str) -> None:
        """Send what is refused; it must be told, unless the answer makes something else of it."""
        self._click(button, fails=True, message=_TWO_LINES)
        told = self._error_is(bool)
        got = [partner.receive(100, within=_QUIET) for partner in self._partners]
        if not told and not any(got):
            raise NotYet(
                f"I set `message` to a text of two lines, and clicked {button.capitalize()}. "
                "Nobody got anything, and `error.value` is empty.",
                "what goes wrong is told, whichever button it was, and whatever it is.",
                f"What does `server.{button}` raise for such a text?",
            )

    def _expect_no_error(self, button: str) -> None:
        before = self._told
        if not self._error_is(lambda told: not told):
            still = "still " if self._told == before else ""
            raise NotYet(
                "I clicked Send for a client who is not here, and it was told. Then I clicked "
                f"{button.capitalize()}, for clients who are here, and they got it. `error.value` "
                f"is {still}{_shown(self._told)}.",
                "nothing there, once a click has worked.",
                "Who could take it for what your last click did?",
            )

    def _error_is(self, right: Callable[[str], bool]) -> bool:
        """Whether the error that is told is right, or soon becomes so."""

        def look() -> bool:
            self._told = str(self._of("error", "value"))
            return right(self._told)

        return self._trial.wait(look, _SOON)

    def _of(self, part: str, attribute: str) -> Any:
        """This attribute of a part of the window, unless the part was replaced by something."""
        thing = getattr(self._window, part)
        if not hasattr(thing, attribute):
            raise NotYet(
                f"`window.{part}` is now a `{type(thing).__name__}`, without `{attribute}`.",
                "the parts of the window stay what they were.",
                f"Which attribute or method of `{part}` did you want to use?",
            )
        return getattr(thing, attribute)

    def _click(self, button: str, fails: bool = False, **fields: Any) -> None:
        """Fill in the fields, and click."""
        for name, value in fields.items():
            getattr(self._window, name).value = value
        running = self._press(self._of(button, "click"))
        running.call.name = f"{button}.click"
        expected = "a click only hands its work over, and returns."
        if fails:
            running.error(_WITH_TRACEBACK, expected)
        else:
            running.result(_AT_ONCE, expected)

    def _expect(self, said: str, text: str, *numbers: int, quiet: bool = False) -> None:
        """These clients get the text; `quiet`: and then nobody anything."""
        for number, partner in enumerate(self._partners, 1):
            if number in numbers:
                got = partner.receive_line()
                if got != f"{text}\n".encode():
                    raise self._missed(said, number, text, got)
        for number, partner in enumerate(self._partners, 1) if quiet else ():
            got = partner.receive(100, within=_QUIET)
            if got:
                saw = f"{said} Client {number} got {_line(got)}."
                raise NotYet(saw, "nothing (more) for that one.")

    def _missed(self, said: str, number: int, text: str, got: bytes) -> NotYet:
        """What the client got instead, what others got, and the likeliest question."""
        others = {
            other: partner.receive(100, within=_QUIET)
            for other, partner in enumerate(self._partners, 1)
            if other != number
        }
        saw = f"{said} Client {number} got {_line(got)}"
        saw += "".join(f", and client {n} got {_line(line)}" for n, line in others.items() if line)
        told = str(self._of("error", "value"))
        saw += f". `error.value` is {_shown(told)}." if told else "."
        then = ""
        if f"{self._at_first}\n".encode() in (got, *others.values()):
            then = "When does your code read the fields: when the panel is made, or at the click?"
        elif not told and not any((got, *others.values())):
            then = "What is called when this button is clicked?"
        return NotYet(saw, f"client {number} gets `{text}`.", then)


def _line(data: bytes) -> str:
    text = data.decode(errors="replace").rstrip("\n")
    return f"`{plain(text, 80)}`" if text else "an empty line" if data else "nothing"


def _shown(text: str) -> str:
    return f"`{plain(text, 80)}`" if text else "empty"
