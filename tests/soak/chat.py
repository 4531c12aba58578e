"""Clients that behave: they come, talk, hear what everybody hears, and leave politely.

Each numbers its messages and reads to the very end, so that both accounts must agree exactly.
"""

import asyncio
import random
import time
from collections import Counter

from sockkit import AsyncClient, Client, ConnectionLost, Reason

from ..waiting import PATIENCE
from .accounts import Done, Judge, Series

Address = tuple[str, int]

POLITE = frozenset({Reason.CLOSED})


class Talk:
    """What one client said and heard so far."""

    def __init__(self, name: str, judge: Judge) -> None:
        self.name = name
        self.sent = self.received = 0
        self.echoes = Series()
        self._judge = judge
        self._broadcasts = {"all": Series(None), "tick": Series(None)}
        self._spoke = 0.0  # when it did, last
        self._silence = 0.0  # the longest, in seconds

    def next(self, command: str = "say") -> str:
        """The next message to send."""
        self.breathe()
        self.sent += 1
        return f"{self.name} {self.sent - 1} {command}"

    def hear(self, text: str) -> None:
        """Something came."""
        self.received += 1
        word, _, rest = text.partition(" ")
        series = self.echoes if word == self.name else self._broadcasts.get(word)
        if series is None:
            self._judge.wrong("unexpected", f"{self.name} hears {text!r}")
        else:
            series.take(int(rest))

    def lost(self, error: ConnectionLost) -> None:
        """The server ended it, or something in between: right only if nobody let it speak."""
        self.breathe()
        if not self.stalled:
            self._judge.wrong("unexpected", f"{self.name} is cut off: {error}")

    def breathe(self) -> None:
        """It is about to say something, or to leave."""
        now = time.monotonic()
        if self._spoke:
            self._silence = max(self._silence, now - self._spoke)
        self._spoke = now

    @property
    def stalled(self) -> bool:
        """Whether this machine did not let it speak for so long that a server may well end it."""
        return self._silence > self._judge.idle / 2

    @property
    def answered(self) -> bool:
        """Whether the last message has come back."""
        return self.echoes.next == self.sent

    def over(self, *, all_up: bool = False, all_down: bool = False, **more: object) -> None:
        """It is at its end: the judge gets the account."""
        faults = Counter[str]()
        for series in (self.echoes, *self._broadcasts.values()):
            faults += series.faults
        self._judge.series(faults, f"what {self.name} heard")
        reasons = more.pop("reasons", POLITE)
        all_down = all_down and not faults  # else it would be told twice
        if self.stalled:
            self._judge.stalled += 1
            reasons, all_up, all_down = frozenset(Reason), False, False
        done = Done(self.name, reasons, self.sent, self.received, all_up, all_down, **more)
        self._judge.done(done)


async def chat(talk: Talk, address: Address, source: random.Random, pause: float) -> None:
    """Come, say up to 20 things, one after the other or many at once, and read to the end."""
    together = source.choice((1, 1, 5))
    try:
        async with AsyncClient(address, timeout=PATIENCE) as client:
            for _ in range(source.randrange(1, 20)):
                for _ in range(together):
                    client.send(talk.next())
                await _hear_all(talk, client)
                await asyncio.sleep(source.random() * pause)
            await _read_to_end(talk, client)
    except ConnectionLost as error:
        talk.lost(error)
    finally:
        talk.over(all_up=True, all_down=True)


async def stay(talk: Talk, address: Address, quiet: asyncio.Event, leave: asyncio.Event) -> None:
    """Be here all the time, and say something now and then, less often while it shall be quiet."""
    try:
        async with AsyncClient(address, timeout=PATIENCE) as client:
            while not leave.is_set():
                client.send(talk.next("all" if talk.sent % 10 == 9 else "say"))
                await _hear_all(talk, client)
                await asyncio.sleep(0.5 if quiet.is_set() else 0.1)
            await _read_to_end(talk, client)
    except ConnectionLost as error:
        talk.lost(error)
    finally:
        talk.over(all_up=True, all_down=True)


async def _hear_all(talk: Talk, client: AsyncClient) -> None:
    while not talk.answered:
        talk.hear(await client.recv())


async def _read_to_end(talk: Talk, client: AsyncClient) -> None:
    talk.breathe()
    client.send_eof()
    async for text in client:
        talk.hear(text)


async def chat_over_a_rough_link(talk: Talk, address: Address, source: random.Random) -> None:
    """Talk until the link breaks. Whatever came must have come in order; how much may is open."""
    try:
        async with AsyncClient(address, timeout=PATIENCE) as client:
            for _ in range(60):
                client.send(talk.next())
                await _hear_all(talk, client)
                await asyncio.sleep(source.random() * 0.1)
    except OSError:  # lost, or reset while it was still connecting
        pass
    finally:
        known = talk.received > 0
        ends = frozenset({Reason.RESET, Reason.TIMED_OUT, Reason.CLOSED})
        talk.over(reasons=ends, sure=known)


def talk_from_a_thread(talk: Talk, address: Address, source: random.Random) -> None:
    """With the client for code that has no event loop; it closes without reading the rest."""
    try:
        with Client(address, timeout=PATIENCE) as client:
            for _ in range(source.randrange(1, 20)):
                client.send(talk.next())
                while not talk.answered:
                    talk.hear(client.recv())
    except ConnectionLost as error:
        talk.lost(error)
    finally:
        talk.over(all_up=True)
