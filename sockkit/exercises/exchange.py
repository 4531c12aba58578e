"""Three servers of the kit with their clients, and an exchange between them that can be gone."""

from collections.abc import Callable
from contextlib import ExitStack
from typing import Any

from sockkit.errors import SockkitError
from sockkit.exercises.trial import Trial
from sockkit.exercises.verdict import NotYet
from sockkit.sync import Client, Server
from sockkit.text import plain

NAMES = ("a", "ab", "b")  # for who looks at a part of a name only
_MARK = "that was all"  # said by the check itself, to each client, behind all that came before
_PATIENCE = 3.0  # seconds for what takes hundredths, if the machine is not busy


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
        self._stack = trial.own(ExitStack())
        self._servers = {name: self._stack.enter_context(Server()) for name in NAMES}
        self._clients: dict[str, list[Client]] = {name: [] for name in NAMES}
        # One has left `b` before the others come, so that nobody there is number 1.
        last = self._servers["b"]
        with Client(last.address):
            last.wait_for_clients(1, timeout=trial.left(_PATIENCE))
        trial.wait(lambda: not last.clients, _PATIENCE)
        for name in NAMES:
            self._welcome(name)
        self._say = {
            name: trial.call(join, server, name, self.exchange)
            for name, server in self._servers.items()
        }
        for say in self._say.values():
            if not callable(say):
                raise NotYet(
                    f"You returned `{plain(repr(say), 60)}`.", "a function, which I call to speak."
                )
        self._welcome("b")

    def _welcome(self, name: str) -> None:
        here = self._clients[name]
        here.append(self._stack.enter_context(Client(self._servers[name].address)))
        self._servers[name].wait_for_clients(len(here), timeout=self._trial.left(_PATIENCE))

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

    def expect_everywhere(self, did: str, clue: str, *lines: str) -> None:
        """See that each client got these lines since the last look, and no others."""
        self.expect(did, clue, **{name: list(lines) for name in NAMES})

    def expect(self, did: str, clue: str, **lines: list[str]) -> None:
        """The same, with lines for the clients of each server."""
        for name, expected in lines.items():
            try:
                self._servers[name].broadcast(_MARK)
                heard = [self._heard_by(client) for client in self._clients[name]]
            except SockkitError:
                raise NotYet(
                    f"{did} A client of `{name}` is not connected any more.", "all of them stay."
                ) from None
            except TimeoutError:
                raise NotYet(
                    f"{did} A client of `{name}` got nothing for long, not even what I said.",
                    then="Is the machine busy? Check once more.",
                ) from None
            for got in heard:
                if got != expected:
                    late = heard[0] == expected
                    raise NotYet(
                        f"{did} A client of `{name}` got {_told(got)}.",
                        f"{_told(expected)}.",
                        "It came after you had joined. Whom do you send to?" if late else clue,
                    )

    def _heard_by(self, client: Client) -> list[str]:
        return list(iter(lambda: client.recv(self._trial.left(_PATIENCE)), _MARK))


def _told(lines: list[str]) -> str:
    return ", ".join(f"`{plain(line, 40)}`" for line in lines[:6]) or "nothing"
