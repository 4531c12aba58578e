"""Four servers of the kit with their clients, and an exchange between them that can be gone."""

import contextlib
import threading
from collections.abc import Callable
from contextlib import ExitStack
from functools import partial
from typing import Any

from sockkit.errors import SockkitError
from sockkit.exercises.leftovers import Before
from sockkit.exercises.running import Failed
from sockkit.exercises.trial import Trial
from sockkit.exercises.verdict import NotYet
from sockkit.sync import Client, Server
from sockkit.text import plain

NAMES = ("a", "ab", "b", "bb")  # for who looks at a part of a name only; nobody comes to the last
_MARK = "that was all"  # said by the check itself, to each client, behind all that came before
_PATIENCE = 3.0  # seconds for what takes hundredths, if the machine is not busy
_A_LITTLE = 0.05  # seconds for a thread of the answer that has just begun to publish
_A_WHILE = 1.0  # seconds for a word that such a thread publishes, and for the thread to end
_A_MOMENT = 0.5  # seconds for one that should have ended before
_STORM = 30  # words, more than twice as many as are said

Ear = Callable[[Any, Any], object]


class FailingExchange:
    """What the answer publishes in. Every subscriber hears everything, its own words too.

    Like that of the lesson it calls who listens from within `publish`; or, while it is `slow`, the
    check does, later, as one over a network would. Any thread may publish.
    """

    def __init__(self) -> None:
        self.gone = False
        self.slow = False
        self.again = False  # something was published while something was being heard
        self.subscribers: list[Ear] = []
        self.published: list[tuple[Any, Any]] = []
        self._hearing: set[int] = set()  # threads

    def subscribe(self, hear: Ear) -> None:
        """Have `hear(sender, text)` called for all that is published from now on."""
        self.subscribers.append(hear)

    def publish(self, sender: str, text: str) -> None:
        """Call all that have subscribed.

        Raises:
            ConnectionError: the exchange is gone.
        """
        if self.gone:
            raise ConnectionError("the exchange is gone")
        me = threading.get_ident()
        if me in self._hearing or len(self.published) > _STORM:
            self.again = True  # and so for ever, if we did it
            return
        self.published.append((sender, text))
        if self.slow:
            return
        self._hearing.add(me)
        try:
            for hear in self.subscribers:
                hear(anew(sender), text)
        finally:
            self._hearing.remove(me)


def anew(sender: Any) -> Any:
    """The name as it comes through a network: equal, and another object if it has two letters."""
    return sender.encode().decode() if isinstance(sender, str) else sender


class Company:
    """The servers, joined by the answer. Owned by the trial."""

    def __init__(self, trial: Trial, join: Any) -> None:
        self.exchange = FailingExchange()
        self._trial = trial
        self._stack = trial.own(ExitStack())
        self._servers = {name: self._stack.enter_context(Server()) for name in NAMES}
        self._clients: dict[str, list[Client]] = {name: [] for name in NAMES}
        # One has left `b` before the others come, so that nobody there is number 1.
        last = self._servers["b"]
        with Client(last.address):
            last.wait_for_clients(1, timeout=trial.left(_PATIENCE))
        trial.wait(lambda: not last.clients, _PATIENCE)
        for name in NAMES[:-1]:
            self._welcome(name)
        self._before = Before()
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

    def say(self, name: str, text: str, expected: str = "") -> None:
        """Have one server say something to everybody; `expected` goes with what `say` raises."""
        try:
            self._trial.call(self._say[name], text)
        except Failed:  # told with the exception
            if not expected:
                raise
            raise NotYet("", expected) from None

    def say_slowly(self, *said: tuple[str, str]) -> None:
        """Have servers say something, each its text; when all have, all of it is heard."""
        published, begun = self.exchange.published, len(self.exchange.published)
        self.exchange.slow = True
        for name, text in said:
            heard_of = partial(published.__contains__, (name, text))
            self.say(name, text)
            self.wait_for_threads(heard_of)
        self.exchange.slow = False
        for sender, text in published[begun:]:
            self.hear(sender, text)

    def hear(self, sender: str, text: str) -> None:
        """Have everybody hear this, as from a server that may be any."""
        for hear in self.exchange.subscribers:
            self._trial.call(hear, anew(sender), text)

    def expect_published(self, did: str, sender: str, text: str) -> None:
        """See that this is the one thing that has been published so far."""
        published = self.exchange.published
        if published != [(sender, text)]:
            shown = "; ".join(
                ", ".join(f"`{plain(repr(x), 60)}`" for x in one) for one in published
            )
            raise NotYet(
                f"{did} It published {shown or 'nothing'}.",
                f"`{sender!r}`, `{text!r}`: its name, and the text as it is.",
                "Could a server hear it that somebody else has joined?",
            )

    def expect_no_threads(self, did: str, expected: str) -> None:
        """See that each thread of the answer has ended: what it does comes before what follows."""
        if not self.wait_for_threads(within=_A_MOMENT):
            thread = self._before.new_threads()[0]
            raise NotYet(f"{did} Your thread `{plain(thread.name, 40)}` still runs.", expected)

    def wait_for_threads(
        self, done: Callable[[], bool] = lambda: False, within: float = _A_WHILE
    ) -> bool:
        """Wait until this is so, or no thread of the answer is left; whether that came."""
        return self._trial.wait(lambda: done() or not self._before.new_threads(), within)

    def expect_everywhere(self, did: str, clue: str, *lines: str, in_order: bool = True) -> None:
        """See that each client got these lines since the last look, and no others."""
        self.expect(did, clue, in_order, **{name: list(lines) for name in NAMES})

    def expect(self, did: str, clue: str, in_order: bool = True, **lines: list[str]) -> None:
        """The same, with lines for the clients of each server."""
        self.wait_for_threads(within=_A_LITTLE)
        if self.exchange.again:
            raise NotYet(
                f"{did} The others heard it, and while they heard it, something was published "
                "again.",
                "what was heard goes to the clients, and to nobody else.",
                "Where would a word end that everybody passes on to everybody?",
            )
        for name, expected in lines.items():
            try:
                heard = self._heard_at(name, len(expected))
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
                if (got if in_order else sorted(got)) != expected:
                    late = heard[0] == expected
                    raise NotYet(
                        f"{did} A client of `{name}` got {_told(got)}.",
                        f"{_told(expected)}.",
                        "It came after you had joined. Whom do you send to?" if late else clue,
                    )

    def _heard_at(self, name: str, count: int) -> list[list[str]]:
        """What the clients of this server have got. So many lines are waited for."""
        heard = [self._lines(client, count) for client in self._clients[name]]
        self._servers[name].broadcast(_MARK)
        rest = [self._until_mark(client) for client in self._clients[name]]
        return [first + last for first, last in zip(heard, rest, strict=True)]

    def _until_mark(self, client: Client) -> list[str]:
        return list(iter(lambda: client.recv(self._trial.left(_PATIENCE)), _MARK))

    def _lines(self, client: Client, count: int) -> list[str]:
        """The next lines that it gets, while a thread of the answer is at work."""
        lines: list[str] = []

        def all_came() -> bool:
            with contextlib.suppress(TimeoutError):
                while len(lines) < count:
                    lines.append(client.recv(0))
            return len(lines) == count

        self.wait_for_threads(all_came)
        return lines


def _told(lines: list[str]) -> str:
    return ", ".join(f"`{plain(line, 40)}`" for line in lines[:6]) or "nothing"
