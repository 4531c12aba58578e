"""Clients that come and go while a method of the answer is at work."""

import contextlib
import functools
import inspect
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from sockkit.exercises.host import Host
from sockkit.exercises.meanwhile import Meanwhile, Patience, Stop
from sockkit.exercises.partner import Partner
from sockkit.exercises.running import Failed, Running
from sockkit.exercises.trial import Trial
from sockkit.exercises.verdict import NotYet
from sockkit.exercises.where import described
from sockkit.text import plain

_MANY = 4  # clients, from which on somebody leaves
FOR_EACH_OBJECT = "Where do you make what you keep: once for the class, or once for each object?"


@dataclass(frozen=True)
class Overlap:
    """A call of the method, and a callback: one began and ended while the other stood still."""

    running: Running  # the call of the method
    happened: list[str]  # in this room, such as "4 joined"
    said: str  # what stood where, in words


class Room:
    """Clients that come and go at a server with the callbacks of the answer."""

    def __init__(self, trial: Trial, answer: Any, method: str) -> None:
        self.count = 0
        self.here: dict[int, Partner] = {}
        self._trial = trial
        self._told = 0
        self._stop: Stop | None = None  # for the next callback
        keeper, other = trial.call(answer), trial.call(answer)
        must_have(keeper, "on_connect", "on_disconnect", method)
        self._method: Callable[[], Any] = getattr(keeper, method)
        self._others: Callable[[], Any] = getattr(other, method)
        self._host: Host = trial.serve(
            on_connect=self._counted(keeper.on_connect),
            on_disconnect=self._counted(keeper.on_disconnect),
        )
        self._patience = Patience(trial, self._host.running)

    def join(self) -> None:
        """One more client; returns when the callback has."""
        told = self._told + 1
        self._connect()
        self._expect(told, f"Client {self.count} came, and `on_connect`")

    def _connect(self) -> None:
        self.count += 1
        partner = self._trial.connect(self._host.address, f"client {self.count}")
        self.here[self.count] = partner

    def leave(self, number: int) -> None:
        """This client closes; returns when the callback has."""
        told = self._told + 1
        self._close(number)
        self._expect(told, f"Client {number} left, and `on_disconnect`")

    def _close(self, number: int) -> None:
        self.here.pop(number).close()

    def _expect(self, told: int, said: str) -> None:
        if self._trial.wait(lambda: self._told >= told):
            return
        if self._trial.hopeless():
            raise Failed
        raise NotYet(
            f"{said} has not returned.",
            "a callback returns at once: it runs where the server works for everybody.",
            "Whom does it wait for?",
        )

    def stir(self) -> str:
        """Somebody joins, or leaves where there are many; who and what, such as "4 joined"."""
        if len(self.here) < _MANY:
            self.join()
            return f"{self.count} joined"
        number = min(self.here)
        self.leave(number)
        return f"{number} left"

    def ask(self) -> Any:
        """Call the method of the answer, on a thread that is not the server's."""
        return self._asked(self._method)

    def _asked(self, method: Callable[[], Any]) -> Any:
        running = self._trial.start_beside(method)
        told = running.result(1.0, "it returns at once.")
        running.expect_plain()
        return told

    def expect_own(self) -> None:
        """A second object, to which nobody has come, has nothing to tell.

        Raises:
            NotYet: it has.
        """
        told = self._asked(self._others)
        if told and hasattr(told, "__len__"):  # what tells no length is judged for what it is
            name = self._others.__name__
            raise NotYet(
                "I made two objects of your class, and clients came to one of them. "
                f"`{name}()` of the other returned `{plain(repr(told), 80)}`.",
                "nothing: nobody came to that one.",
                FOR_EACH_OBJECT,
            )

    def during(self, point: int, *leaving: int, join: bool = True) -> Overlap | None:
        """A client comes, and these leave, while the method is at work.

        None if the method has no such point. Who leaves stays where the others have to wait.
        """
        if self._patience.at_end:
            return None
        meanwhile = Meanwhile(self._trial, self._method, point)
        if not meanwhile.stopped():
            meanwhile.running.result()
            return None
        happened = []
        for number in (None, *leaving) if join else leaving:
            told = self._told + 1
            if number is None:
                self._connect()
                happened.append(f"{self.count} joined")
            else:
                self._close(number)
                happened.append(f"{number} left")
            self._patience.wait(lambda told=told: self._told >= told)  # type: ignore[misc]
            if self._told < told:
                break
        meanwhile.go_on()
        if not meanwhile.running.ended(1.0):
            meanwhile.running.result(0.0)
        self._patience.wait_after(lambda: self._told >= told)
        said = ", and then client ".join(happened) + ("," if len(happened) > 1 else "")
        where = f"while `{meanwhile.running.call.name}` was at work, just before {meanwhile.place}"
        return Overlap(meanwhile.running, happened, f"Client {said} {where}.")

    def ask_during(self, point: int, leaving: int | None = None) -> Overlap | None:
        """Call the method while a client comes, or this one leaves, and the callback is at work.

        None if the callback has no such point; it has run then.
        """
        if self._patience.at_end:
            return None
        callback, told = "on_disconnect" if leaving else "on_connect", self._told + 1
        stop = self._stop = Stop(point)
        try:
            self._close(leaving) if leaving else self._connect()
            self._trial.wait(lambda: stop.stands.is_set() or self._told >= told)
            if not stop.stands.is_set():
                return None
            running = self._trial.start_beside(self._method)
            self._patience.wait_for(running)
        finally:
            self._stop = None
            stop.go_on()
        self._patience.wait_after(lambda: self._told >= told)
        if not running.ended(1.0):
            running.result(0.0)
        happened = f"{leaving} left" if leaving else f"{self.count} joined"
        said = f"I asked while `{callback}` was at work, just before {stop.place}."
        return Overlap(running, [happened], said)

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
        def watched() -> contextlib.AbstractContextManager[None]:
            return self._stop.watch() if self._stop else contextlib.nullcontext()

        async def finished(result: Any) -> None:
            with watched():
                await result
            self._told += 1

        @functools.wraps(callback)
        def counted(*args: Any) -> Any:
            with watched():
                result = callback(*args)
            if inspect.isawaitable(result):
                return finished(result)
            self._told += 1
            return None

        return counted


def must_have(thing: Any, *names: str) -> None:
    """What the answer made has these attributes.

    Raises:
        NotYet: one is missing.
    """
    missing = [name for name in names if not hasattr(thing, name)]
    if missing:
        saw = f"You gave me {described(thing)} without `{missing[0]}`."
        if thing is None:
            saw = "You returned `None`."
        raise NotYet(saw, f"an object with `{'`, `'.join(names)}`.")
