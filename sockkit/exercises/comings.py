"""Clients that come and go while a method of the answer is at work."""

import inspect
from collections.abc import Callable
from typing import Any

from sockkit.exercises.host import Host
from sockkit.exercises.meanwhile import Meanwhile, Patience
from sockkit.exercises.partner import Partner
from sockkit.exercises.trial import Trial
from sockkit.exercises.verdict import NotYet


class Room:
    """Clients that come and go at a server with the callbacks of the answer."""

    def __init__(self, trial: Trial, answer: Any, method: str) -> None:
        self.count = 0
        self.here: dict[int, Partner] = {}
        self._trial = trial
        self._told = 0
        keeper = trial.call(answer)
        must_have(keeper, "on_connect", "on_disconnect", method)
        self._method: Callable[[], Any] = getattr(keeper, method)
        self._host: Host = trial.serve(
            on_connect=self._counted(keeper.on_connect),
            on_disconnect=self._counted(keeper.on_disconnect),
        )
        self._patience = Patience(trial, self._host.running)

    def join(self) -> None:
        """One more client; returns when the callback has."""
        told = self._told + 1
        self._connect()
        self._trial.wait(lambda: self._told >= told)

    def _connect(self) -> None:
        self.count += 1
        partner = self._trial.connect(self._host.address, f"client {self.count}")
        self.here[self.count] = partner

    def leave(self, number: int) -> None:
        """This client closes."""
        told = self._told + 1
        self.here.pop(number).close()
        self._trial.wait(lambda: self._told >= told)

    def ask(self) -> Any:
        """Call the method of the answer, on a thread that is not the server's."""
        return self._trial.start_beside(self._method).result(1.0, "it returns at once.")

    def join_during(self, point: int) -> Meanwhile | None:
        """A client comes while the method is at work; None if it has no such point."""
        meanwhile = self._during(point, self._connect)
        if meanwhile:
            meanwhile.running.result(1.0)
        return meanwhile

    def leave_during(self, point: int, number: int) -> Meanwhile | None:
        """This client closes while the method is at work; None if it has no such point."""
        return self._during(point, lambda: self.here.pop(number).close())

    def _during(self, point: int, happen: Callable[[], object]) -> Meanwhile | None:
        if self._patience.at_end:
            return None
        meanwhile = Meanwhile(self._trial, self._method, point)
        if not meanwhile.stopped():
            meanwhile.running.result()
            return None
        told = self._told + 1
        happen()
        self._patience.wait(lambda: self._told >= told)
        meanwhile.go_on()
        if not meanwhile.running.ended(1.0):
            meanwhile.running.result(0.0)
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


def must_have(thing: Any, *names: str) -> None:
    """What the answer made has these attributes.

    Raises:
        NotYet: one is missing.
    """
    missing = [name for name in names if not hasattr(thing, name)]
    if missing:
        kind = type(thing).__name__
        raise NotYet(f"You gave me a `{kind}` without `{missing[0]}`.", f"`{'`, `'.join(names)}`.")
