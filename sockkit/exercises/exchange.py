"""Three servers of the kit, each with a client, and an exchange between them that can be gone."""

from collections.abc import Callable
from contextlib import ExitStack
from typing import Any

from sockkit.exercises.trial import Trial
from sockkit.exercises.verdict import NotYet
from sockkit.sync import Client, Server
from sockkit.text import plain

NAMES = "abc"
_MARK = "that was all"  # said by the check itself, to each client, behind all that came before


class Exchange:
    """What the answer publishes in. Every subscriber hears everything, its own words too."""

    def __init__(self) -> None:
        self.gone = False
        self.again = False  # something was published while something was being heard
        self._hearing = False
        self._subscribers: list[Callable[[str, str], object]] = []

    def subscribe(self, hear: Callable[[str, str], object]) -> None:
        """Have `hear(sender, text)` called for all that is published from now on."""
        self._subscribers.append(hear)

    def publish(self, sender: str, text: str) -> None:
        """Call all that have subscribed.

        Raises:
            ConnectionError: the exchange is gone.
        """
        if self.gone:
            raise ConnectionError("the exchange is gone")
        if self._hearing:
            self.again = True  # and so for ever, if we did it
            return
        self._hearing = True
        try:
            for hear in self._subscribers:
                hear(sender, text)
        finally:
            self._hearing = False


class Company:
    """The servers, joined by the answer. Owned by the trial."""

    def __init__(self, trial: Trial, join: Any) -> None:
        self.exchange = Exchange()
        self._trial = trial
        self._stack = stack = ExitStack()
        trial.own(stack)
        self._servers = {name: stack.enter_context(Server()) for name in NAMES}
        self._clients = {
            name: stack.enter_context(Client(server.address))
            for name, server in self._servers.items()
        }
        for server in self._servers.values():
            server.wait_for_clients(1, timeout=trial.left(2.0))
        self._say = {
            name: trial.call(join, server, name, self.exchange)
            for name, server in self._servers.items()
        }
        for say in self._say.values():
            if not callable(say):
                raise NotYet(
                    f"You returned `{plain(repr(say), 60)}`.", "a function, which I call to speak."
                )

    def say(self, name: str, text: str) -> None:
        """Have one server say something to everybody."""
        self._trial.call(self._say[name], text)
        if self.exchange.again:
            raise NotYet(
                f"`{name}` said `{text}`, the others heard it, and while they heard it, something "
                "was published again.",
                "what was heard goes to the clients, and to nobody else.",
                "Where would a word end that everybody passes on to everybody?",
            )

    def expect(self, did: str, clue: str, **lines: list[str]) -> None:
        """See that the client of each server got these lines since the last look, and no others."""
        for name, expected in lines.items():
            [number] = self._servers[name].clients
            self._servers[name].send(number, _MARK)
            got = list(iter(lambda: self._clients[name].recv(self._trial.left(1.0)), _MARK))  # noqa: B023
            if got != expected:
                raise NotYet(
                    f"{did} The client of `{name}` got {_told(got)}.", f"{_told(expected)}.", clue
                )


def _told(lines: list[str]) -> str:
    return ", ".join(f"`{plain(line, 40)}`" for line in lines[:6]) or "nothing"
