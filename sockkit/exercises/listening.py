"""Whether a learner's function returns all that a client was sent, and without sleeping."""

import time
from collections.abc import Sequence
from contextlib import ExitStack
from typing import Any

from sockkit.exercises.broken import Sound
from sockkit.exercises.trial import Trial
from sockkit.exercises.verdict import NotYet
from sockkit.lab import Link
from sockkit.lab.guest import Guest
from sockkit.sync import Client, Server
from sockkit.text import plain

_AT_ONCE = 0.3  # seconds; who has waited for so long each time has waited for the clock
_QUICK = 0.08  # seconds; and so has who needs more than this, however often it is tried
_TRIES = 10
_LATE = 1.1  # seconds that a slow line takes: more than anybody may wait on a fast one
_SAID: tuple[tuple[str, ...], ...] = (
    ("hello",),
    (),
    ("hello", "hello", "who is here: you?", "/to 2 psst"),
    ("/room tea", "/room lobby", "a blank at the end "),
)


class Listening:
    """A client whom Ben tells something, and the answer, which returns what the client was told.

    The client is number 2: number 1 has left already.
    """

    def __init__(self, trial: Trial, answer: Any) -> None:
        self._trial = trial
        self._answer = answer
        self._took: list[float] = []  # seconds, one for each time on the fast line
        sound, stack = Sound(), trial.own(ExitStack())
        server = stack.enter_context(
            Server(sound.on_message, on_connect=sound.on_connect, on_disconnect=sound.on_disconnect)
        )
        self._link = stack.enter_context(Link(server.address))
        Guest(server).leave()
        self._client = stack.enter_context(Client(self._link.address, timeout=2.0))
        stack.callback(self._link.heal)  # or the client's end would be late as well
        self._client.recv()  # its number
        self._ben = stack.enter_context(Guest(server, "Ben"))

    def verdict(self) -> str:
        """What is said when all was returned.

        Raises:
            NotYet: it was not.
        """
        for said in _SAID:
            self._took.append(self._compared(said))
            if len(self._took) > 1 and min(self._took) > _AT_ONCE:  # a machine may be busy once
                raise self._slept()
        self._link.set(delay=_LATE, way="down")
        self._compared(("I come late", "and I"), how=", on a slow line")
        self._link.heal()
        while min(self._took) > _QUICK:
            if len(self._took) == _TRIES:
                raise self._slept()
            self._took.append(self._compared(("hello",)))
        return "All that had been sent, and nothing else; also when it was late."

    def _slept(self) -> NotYet:
        return NotYet(
            f"All was here at once, and `heard` took {min(self._took):.2f} s each time.",
            "it returns when all that was sent is there, and no later.",
            "For what did it wait, and what could it ask instead?",
        )

    def _compared(self, said: Sequence[str], how: str = "") -> float:
        """Compare what the answer returns with what Ben said; returns the seconds that it took."""
        for text in said:
            self._ben.say(text)
        started = time.monotonic()
        running = self._trial.start(self._answer, self._client)
        got = running.result(3.0, "an answer that always comes.", "What can you ask?")
        took = time.monotonic() - started
        expected = [self._line(text) for text in said]
        if not isinstance(got, list | tuple) or list(got) != expected:
            what = f"{len(said)} lines" if len(said) != 1 else "one line"
            raise NotYet(
                f"Ben said {what}{how}, and you returned `{plain(repr(got), 160)}`.",
                f"`{plain(repr(expected), 160)}`.",
                _advice(got, expected),
            )
        self._look_around()
        return took

    def _line(self, text: str) -> str:
        """What the client hears when Ben says this."""
        label = f"{self._ben.number} Ben"
        if text.startswith("/to 2 "):
            return f"{label} to you: {text[6:]}"
        if text.startswith("/room "):
            return f"* {label} {'came' if text == '/room lobby' else 'left'}"
        return f"{label}: {text}"

    def _look_around(self) -> None:
        """The call has changed nothing, for nobody."""
        if not self._client.connected:
            raise NotYet("`heard` has closed the client.", "it stays open: who gave it goes on.")
        heard, here = self._ben.heard(), self._ben.who()
        if heard:
            raise NotYet(
                f"You called `heard`, and Ben heard `{plain(heard[0], 80)}`.",
                "nobody else hears of it.",
                "Which question is answered to the one who asks, and to nobody else?",
            )
        if "2" not in here:
            name = next((label[2:] for label in here if label.startswith("2 ")), "")
            raise NotYet(
                f"You called `heard`, and client 2 is now called `{plain(name, 40)}`.",
                "its name is left as it was.",
            )


def _advice(got: Any, expected: list[str]) -> str:
    """What may have gone wrong, where that can be seen."""
    if not isinstance(got, list | tuple):
        return "What you return is a list of lines."
    lines = list(got)
    if lines[:-1] == expected and str(lines[-1]).startswith(("here: ", "no client ")):
        return "The last line answers your own question."
    if lines == expected[: len(lines)]:
        return "How do you know that nothing more is on its way?"
    if len(lines) < len(expected):
        return "Every line counts, whatever it says."
    return ""
