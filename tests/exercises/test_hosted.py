"""A server of several callbacks: what fails, or holds its loop, is told of the right one."""

import time
from typing import Any

import pytest

from sockkit.exercises.lesson import Lesson
from sockkit.exercises.trial import Trial
from sockkit.exercises.verdict import NotYet

lesson = Lesson("98")


class Silent:
    """Three callbacks that do nothing."""

    def on_connect(self, connection):
        """Somebody came."""

    def on_message(self, connection, text):
        """Somebody said something."""

    def on_disconnect(self, connection, reason):
        """Somebody went."""


class Model(Silent):
    def on_message(self, connection, text):
        connection.send(text)


@lesson.exercise(solution=Model, hints=("none",))
def parrot(trial: Trial, answer: Any) -> str:
    """Answer each message with itself."""
    made = answer()
    host = trial.serve(
        on_connect=made.on_connect,
        on_message=made.on_message,
        on_disconnect=made.on_disconnect,
    )
    partner = trial.connect(host.address)
    partner.send(b"hello\n")
    if partner.receive_line() != b"hello\n":
        raise NotYet("I heard no echo.", "`hello`.")
    return "It came back."


class FailsWhenTheCheckEnds(Silent):
    def on_message(self, connection, text):
        connection.send("wrong")

    def on_disconnect(self, connection, reason):
        raise KeyError(reason)


class HoldsTheLoopAndFails(Silent):
    def on_message(self, connection, text):
        time.sleep(30)

    def on_disconnect(self, connection, reason):
        raise KeyError(reason)


class HoldsTheLoopForAWhile(Model):
    def on_message(self, connection, text):
        time.sleep(0.7)
        super().on_message(connection, text)


class Exits(Silent):
    def on_message(self, connection, text):
        raise SystemExit(1)


class ExitsLater(Silent):
    async def on_message(self, connection, text):
        raise SystemExit(1)


class Fails(Silent):
    def on_message(self, connection, text):
        raise ZeroDivisionError("as it must")


@pytest.mark.parametrize(
    ("answer", "starts"),
    [
        (Model, "Solved. It came back."),
        (FailsWhenTheCheckEnds, "Not yet. I heard no echo."),
        (HoldsTheLoopAndFails, "Not yet. I heard no echo. Your server held its event loop, in"),
        (HoldsTheLoopForAWhile, "Not yet. It works. But your server held the event loop for 0."),
        (Fails, "Not yet. `on_message` raised ZeroDivisionError: as it must."),
        (Exits, "Not yet. `on_message` called `sys.exit`."),
        (ExitsLater, "Not yet. `on_message` called `sys.exit`."),
    ],
)
def test_the_verdict_speaks_of_what_happened_and_where(answer: type, starts: str) -> None:
    verdict = repr(parrot.check(answer))
    assert verdict.startswith(starts), verdict
    assert "KeyError" not in verdict
