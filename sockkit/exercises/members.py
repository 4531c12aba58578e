"""Who talks to a learner's chat server in a check: members, who wait for lines and not for time."""

import functools
import math
import time
from collections.abc import Callable
from contextlib import ExitStack
from typing import Any, Self

from sockkit.connection import Connection
from sockkit.exercises.comings import FOR_EACH_OBJECT
from sockkit.exercises.partner import Partner
from sockkit.exercises.running import Stopped
from sockkit.exercises.trial import Trial
from sockkit.exercises.verdict import NotYet
from sockkit.lab.peers import NonReader
from sockkit.limits import Limits
from sockkit.sync import Server
from sockkit.text import plain

_SLOW = 0.008  # seconds: a server that never needs less for a line lets everybody wait


class Chatroom:
    """A server with the callbacks of a learner's class, and the members who have come to it.

    Attributes:
        quickest: seconds that the server has needed at least for something that was said.
    """

    def __init__(self, trial: Trial, answer: Any) -> None:
        self.trial = trial
        self.chat, self._other = trial.call(answer), trial.call(answer)
        names = ("on_connect", "on_message", "on_disconnect")
        for name in names:
            if not callable(getattr(self.chat, name, None)):
                raise NotYet(f"Your object has no `{name}`.", "a class with three callbacks.")
        self.quickest = math.inf
        self._over = False
        self._count = 0
        self._doomed: dict[str | int, int] = {}
        callbacks = {name: self._until_over(getattr(self.chat, name)) for name in names}
        self.host = trial.serve(**callbacks, limits=Limits(max_pending=65_536))

    def _until_over(self, callback: Callable[..., Any]) -> Callable[..., Any]:
        # When the server stops, clients go one after the other, and whoever is told of the first
        # may have gone as well. That is no fault of the answer.
        @functools.wraps(callback)
        def called(connection: Connection, *args: Any) -> Any:
            if self._over:
                return None
            doomed = self._doomed.pop(connection.number, 0)
            if args and isinstance(args[0], str):
                doomed = self._doomed.pop(args[0], doomed)
            if doomed:
                self.throw_out(doomed)
            return callback(connection, *args)

        return called

    def throw_out(self, number: int) -> None:
        """The server ends this connection, if it is still there."""
        if connection := self.host.server.clients.get(number):
            connection.close()

    def throw_out_with(self, what: str | int, number: int) -> None:
        """Let this client go at the last moment before a callback is called.

        The answer knows it still, and can't send it anything.

        Args:
            what: the line that is said, or the number of the client who goes.
            number: who goes as well.
        """
        self._doomed[what] = number

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type | None, error: BaseException | None, traceback: object) -> None:
        self._over = True
        waited = isinstance(error, NotYet) and self.trial.waited_in_vain
        if (waited or isinstance(error, Stopped)) and _SLOW < self.quickest < math.inf:
            raise NotYet(
                f"My time was up. `/who` after a line was answered {self.quickest:.2f} s later, or "
                "more, each time.",
                "callbacks that return at once.",
                "What do they wait for?",
            ) from None

    def expect_own(self) -> None:
        """A second chat, of another object on another server, has members of its own.

        Raises:
            NotYet: it has not.
        """
        other, guarded = self._other, self.host.guarded
        with Server(
            guarded(other.on_message),
            on_connect=guarded(other.on_connect),
            on_disconnect=guarded(other.on_disconnect),
        ) as server:
            partner = self.trial.connect(server.address, "the other chat")
            partner.receive_line()
            partner.send(b"/who\n")
            got = partner.receive_line().decode(errors="replace").rstrip("\r\n")
            partner.close()
        if got != "here: 1":
            raise NotYet(
                "I made two servers, each with an object of your class. In the second one there "
                f"is only client 1, who said `/who`, and got `{plain(got, 80)}`.",
                "`here: 1`.",
                FOR_EACH_OBJECT,
            )

    def join(self, name: str = "") -> "Member":
        """One more member, greeted with the next number."""
        self._count += 1
        member = Member(self, self._count, name)
        member.expect(
            f"you are {self._count}",
            f"Client {self._count} connected. It",
            "Which callback is the first, and who gives the number?",
        )
        if name:
            member.say(f"/name {name}", "A name is kept. Does anybody get an answer?")
        return member

    def let_in_a_sloth(self) -> int:
        """Somebody who reads nothing, not even the number, which is returned."""
        self._count += 1
        self.trial.own(ExitStack()).enter_context(NonReader(self.host.address))
        self.trial.wait(lambda: self.has(self._count))
        return self._count

    def has(self, number: int) -> bool:
        """Whether this client is connected."""
        return number in self.host.server.clients

    def gone(self, number: int) -> None:
        """Return once the server has noticed that this client left."""
        self.trial.wait(lambda: not self.has(number))


class Member:
    """One client of the chat."""

    def __init__(self, room: Chatroom, number: int, name: str) -> None:
        self.number = number
        self.label = f"{number} {name}".strip()
        self.partner: Partner = room.trial.connect(room.host.address, self.label)
        self._room = room

    def say(self, text: str, then: str = "") -> None:
        """Say it; return when the server has dealt with it, with nothing for the sender."""
        started = time.monotonic()
        self.tell(text)
        self.expect_nothing(f"{self.label} said `{text}`, and", then)
        self._room.quickest = min(self._room.quickest, time.monotonic() - started)

    def dare(self, text: str) -> None:
        """Say something of which the tables leave open what the sender hears. It must stay."""
        self.tell(text)
        self.tell("/who")
        while (line := self.partner.receive_line()) and not line.startswith(b"here: "):
            pass  # whatever it is
        if not line:
            said = f"`{text}`" if text else "an empty line"
            came = "was disconnected" if self.partner.ended else "then `/who`, and got nothing"
            raise NotYet(
                f"{self.label} said {said}, and {came}.",
                "nobody is thrown out for what they say.",
                "What can fail in your callback, and who pays for it?",
            )

    def tell(self, text: str) -> None:
        """Say it, without waiting."""
        self.partner.send(f"{text}\n".encode())

    def expect(self, line: str, said: str, then: str = "") -> None:
        """This must be the next line."""
        got = self.line()
        if got != line:
            verb = f"got `{plain(got, 80)}`" if got else "got nothing"
            if self.partner.ended:
                verb += ", and was disconnected"
            raise NotYet(f"{said} {verb}.", f"`{line}`.", then)

    def expect_nothing(self, said: str, then: str = "") -> None:
        """Nothing may have come: the answer to `/who` is the next line, and it is right."""
        got = self.who()
        if not got.startswith("here: "):
            if self.partner.ended:
                saw = f"{said} {self.label} was disconnected."
            elif got:
                saw = f"{said} {self.label} got `{plain(got, 80)}`."
            else:
                saw = f"{said} then {self.label} said `/who`, and got nothing."
                then = "Which callback hears that, and to whom does it answer?"
            expected = "nothing for that one." if got else "an answer that begins with `here: `."
            raise NotYet(saw, expected, then or "Who is it for?")

    def who(self) -> str:
        """What the server answers to `/who`, or whatever came before that."""
        self.tell("/who")
        return self.line()

    def has_company(self, number: int) -> bool:
        """Whether this client is connected to the same chat."""
        return self._room.has(number)

    def leave(self) -> None:
        """Close politely; return when the server has noticed."""
        self.partner.close()
        self._room.gone(self.number)

    def crash(self) -> None:
        """Reset the connection; return when the server has noticed."""
        self.partner.reset()
        self._room.gone(self.number)

    def line(self) -> str:
        """The next line, or what came of it."""
        return self.partner.receive_line().decode(errors="replace").rstrip("\r\n")
