"""A server that passes messages on, clients who read, and others who are slow to."""

import functools
import socket
import time
from typing import Any

from sockkit.connection import Connection
from sockkit.exercises.buffers import NARROW, end_of, narrow
from sockkit.exercises.partner import Partner
from sockkit.exercises.trial import Trial
from sockkit.exercises.verdict import NotYet
from sockkit.text import plain

MAY_WAIT = 20_000  # bytes, as the page says
_LINE = 4_700  # bytes of a message: so many that exactly 20,000 never wait
_SIP = 500  # bytes that a slow client reads at once
_AT_ONCE = 0.03  # seconds
_SOON = 0.1  # seconds until a count that another thread reads is right


class Forum:
    """The answer as the callback of a server, and its clients, numbered from 1.

    Args:
        trial: whose.
        answer: called with the server, a connection and a text.
    """

    def __init__(self, trial: Trial, answer: Any) -> None:
        @functools.wraps(answer)
        def on_message(connection: Any, text: str) -> Any:
            return answer(self._host.server, connection, text)

        self._trial = trial
        self._host = trial.serve(on_message=on_message)
        self._partners: dict[int, Partner] = {}
        self._connections: dict[int, Connection] = {}
        self._heard: dict[int, bytes] = {}  # by those who are slow
        self._served: set[int] = set()  # who has got a message
        self._said: list[tuple[int, bytes]] = []

    def join(self, slow: bool = False) -> None:
        """One more client comes."""
        number = len(self._partners) + 1
        sock = socket.socket()
        if slow:  # before it connects: TCP takes back no window that it has offered
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, NARROW)
        sock.connect(self._host.address)
        partner = Partner(sock, self._trial, self._trial.wire.append, f"client {number}")
        self._partners[number] = self._trial.own(partner)
        self._trial.wait(lambda: number in self._host.server.clients)
        self._connections[number] = self._host.server.clients[number]
        if slow:
            self._heard[number] = b""
            narrow(end_of(self._connections[number]))

    def all_asleep(self) -> bool:
        """Whether so much waits for each slow client that it has to miss the next message."""
        return len(self._asleep()) == len(self._heard)

    def _asleep(self) -> list[int]:
        return [each for each in self._heard if self._connections[each].pending > MAY_WAIT]

    def tell(self, number: int, text: str = "") -> float:
        """A client says this; the seconds until all who read had it.

        Args:
            number: of the client.
            text: the begin of the message, or nothing for one that was not said before.

        Raises:
            NotYet: not everybody has got what is due.
        """
        text = text or f"  Message {len(self._said) + 1} "
        line = f"{text.ljust(_LINE - 3, '.')}  \n".encode()
        before = {
            each: (its.pending, its.sent)
            for each, its in self._connections.items()
            if each in self._heard and each != number
        }
        begun = time.monotonic()
        self._partners[number].send(line)
        self._said.append((number, line))
        for each, partner in self._partners.items():
            if each not in self._heard and each != number:
                self._judge_what_came(each, partner.receive(len(line)))
        took = time.monotonic() - begun
        self._trial.wait(lambda: not self._is_at_work(number))  # before it counts what waits
        for each, (waiting, accepted) in before.items():
            self._judge_the_slow(each, waiting, accepted)
        return took

    def _judge_what_came(self, number: int, got: bytes) -> None:
        teller, line = self._said[-1]
        if got == line:
            self._served.add(number)
            return
        said = f"Client {teller} said message {len(self._said)}. Client {number}"
        if got and (number, got) in self._said:
            raise NotYet(f"Client {number} got its own message back.", "all but the sender.")
        if not line.startswith(got):
            if any(got == earlier for _, earlier in self._said):
                raise NotYet(f"{said} got `{plain(got, 20)}` again.", "each message once.")
            only_spaces = got.strip().lower() == line.strip().lower()
            then = "What became of its spaces and its capitals?" if only_spaces else ""
            raise NotYet(f"{said} got `{plain(got, 20)}`.", "the text as it came.", then)
        what = f"got {len(got):,} bytes of it" if got else "got nothing"
        if self._is_at_work(teller) or not self._host.running.goes_on():
            raise NotYet(
                f"{said} reads, and {what}: your handler has not come to its end.",
                "it waits for nobody.",
                "For whom does it wait?",
            )
        then = self._question(teller, number)
        raise NotYet(f"{said} reads, and {what}.", "the whole message.", then)

    def _question(self, teller: int, number: int) -> str:
        if self._said.count(self._said[-1]) > 1:
            return "May nobody say the same twice?"
        if number not in self._served and len(self._said) > 2:
            return f"Client {number} came later. When do you look at `server.clients`?"
        if teller in self._heard:
            return f"Client {teller} is slow to read. May it not speak?"
        return "Whose `pending` did you look at?" if self._asleep() else "Who is to get it?"

    def _judge_the_slow(self, number: int, waiting: int, accepted: int) -> None:
        its, count = self._connections[number], len(self._said)
        if waiting <= MAY_WAIT and not self._trial.wait(
            lambda: its.sent > accepted or its.reason is not None, within=0.5
        ):
            raise NotYet(
                f"Client {number} is slow. It missed message {count}, when only {waiting:,} bytes "
                "waited for it.",
                f"{MAY_WAIT:,} may wait.",
            )
        if its.reason is not None:
            raise NotYet(
                f"Client {number} is slow. At message {count} it was disconnected ({its.reason}).",
                "it stays, and misses messages.",
            )
        if not self._trial.wait(lambda: its.pending <= MAY_WAIT + _LINE, _SOON):
            raise NotYet(
                f"After message {count}, {its.pending:,} bytes wait for client {number}, who is "
                "slow.",
                f"{MAY_WAIT:,} at most, and one message.",
                "What does `pending` tell you, before you send?",
            )

    def _is_at_work(self, number: int) -> bool:
        """Whether the handler is being awaited for this client."""
        channel: Any = self._connections[number]._channel  # a server's
        return bool(channel.busy)

    def judge_patience(self, took: list[float]) -> None:
        """Nobody who reads waits for those who don't.

        Raises:
            NotYet: for none of these messages it was so.
        """
        if min(took) > _AT_ONCE:
            raise NotYet(
                "Two clients were slow, and missed messages. All others waited "
                f"{min(took) * 1000:.0f} ms or longer for each message.",
                "a message goes at once to all who keep up.",
                "What does your handler do for a client that misses a message?",
            )

    def read(self, number: int, most: int) -> None:
        """A slow client reads, until no more than so many bytes wait for it."""
        its = self._connections[number]
        deadline = time.monotonic() + self._trial.left(1.0)
        while its.pending > most and time.monotonic() < deadline:
            self._heard[number] += self._partners[number].receive(_SIP, within=0.01)

    def judge_what_they_heard(self) -> None:
        """The slow clients read on: whole messages, and the last two, which nobody misses.

        Raises:
            NotYet: they read something else.
        """
        last = self._said[-1][1]
        for number, heard in self._heard.items():
            while not heard.endswith(last + last):
                more = self._partners[number].receive(_LINE - len(heard) % _LINE, within=0.3)
                if not more:
                    break
                heard += more
            lines = heard.splitlines(keepends=True)
            rest = (line for teller, line in self._said if teller != number)
            if any(teller == number and line in lines for teller, line in self._said):
                raise NotYet(f"Client {number} got its own message back.", "all but the sender.")
            if lines[:1] != [self._said[0][1]] or not all(line in rest for line in lines):
                raise NotYet(
                    f"Client {number} was slow. Then it read {len(lines)} lines, not all of them "
                    "as they were said.",
                    "whole messages, in order, from the first one on.",
                )
            if lines[-2:] != [last, last]:
                raise NotYet(
                    f"Client {number} was slow, and then read all that waited. It did not get the "
                    "two messages after that.",
                    "from now on it gets messages again.",
                )
