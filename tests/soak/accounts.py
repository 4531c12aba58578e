"""The two accounts of every connection, the server's and the client's, and the judge of both."""

import threading
from collections import Counter
from dataclasses import dataclass, field
from typing import NamedTuple

from sockkit import Reason

from ..waiting import PATIENCE, until

EXAMPLES = 20  # sentences about what was wrong that are kept

# What may be wrong, in the order of the verdict.
FAULTS = ("lost", "doubled", "reordered", "missing", "twice", "wrong end", "unexpected")


class Series:
    """Numbers that should come as 0, 1, 2, …; or from any first one on, with `first=None`."""

    def __init__(self, first: int | None = 0) -> None:
        self.next = first
        self.doubled = self.reordered = 0
        self._missing: set[int] = set()

    def take(self, number: int) -> None:
        """One more number came."""
        if self.next is None or number == self.next:
            self.next = number + 1
        elif number > self.next:
            self._missing.update(range(self.next, number))
            self.next = number + 1
        elif number in self._missing:
            self._missing.remove(number)
            self.reordered += 1
        else:
            self.doubled += 1

    @property
    def faults(self) -> Counter[str]:
        """What is wrong with it so far."""
        return Counter(lost=len(self._missing), doubled=self.doubled, reordered=self.reordered)


class Seen(NamedTuple):
    """What the server knew of a client when it was gone."""

    name: str  # as the client called itself; "" if it never said a word
    reason: Reason
    messages: int  # up to its last one that came
    sent: int  # that were accepted for it


class Done(NamedTuple):
    """What a client knows of itself, at its end."""

    name: str
    reasons: frozenset[Reason]  # the ends that are right
    sent: int = 0
    received: int = 0
    all_up: bool = False  # each message it sent must have come to the server
    all_down: bool = False  # it read to the end: what was accepted for it must have come
    sure: bool = True  # that the server knows its name


@dataclass
class Judge:
    """Brings both accounts together, whichever comes first. Any thread.

    What is missing in between is told by the `Series` of either side, and what is missing at the
    end by comparing the two.
    """

    idle: float = 3.0  # seconds of silence until a server may end a client
    patience: float = PATIENCE  # seconds until a callback counts as missing
    ends: Counter[Reason] = field(default_factory=Counter)
    faults: Counter[str] = field(default_factory=Counter)
    examples: list[str] = field(default_factory=list)
    served: int = 0  # clients that have come and gone
    messages: int = 0  # in both directions
    stalled: int = 0  # clients that this machine did not let speak for too long

    def __post_init__(self) -> None:
        self._lock = threading.Lock()
        self._seen: dict[str, Seen] = {}
        self._done: dict[str, Done] = {}
        self._ended: set[str] = set()  # since the last `settle`

    def wrong(self, fault: str, what: str, count: int = 1) -> None:
        """Something is not as it should be."""
        assert fault in FAULTS, fault
        with self._lock:
            self.faults[fault] += count
            if len(self.examples) < EXAMPLES:
                self.examples.append(f"{fault}: {what}")
            else:
                self.examples[-1] = f"{fault}: {what} (and others before it)"

    def series(self, faults: Counter[str], what: str) -> None:
        """What is wrong with a series, if anything is."""
        for fault, count in (+faults).items():
            self.wrong(fault, f"{count} of {what}", count)

    def seen(self, seen: Seen) -> None:
        """A server has told of the end of a client."""
        with self._lock:
            self.served += 1
            self.ends[seen.reason] += 1
            self.messages += seen.messages + seen.sent
            if not seen.name:
                return  # it never said who it was
            twice = seen.name in self._ended
            self._ended.add(seen.name)
            self._seen[seen.name] = seen
        if twice:
            self.wrong("twice", f"the end of {seen.name}")
        self._judge(seen.name)

    def done(self, done: Done) -> None:
        """A client has told what it did."""
        with self._lock:
            self._done[done.name] = done
        self._judge(done.name)

    def _judge(self, name: str) -> None:
        with self._lock:
            if name not in self._seen or name not in self._done:
                return
            seen, done = self._seen.pop(name), self._done.pop(name)
        if seen.reason not in done.reasons:
            expected = " or ".join(sorted(done.reasons))
            self.wrong("wrong end", f"{name} ended with {seen.reason}, not {expected}")
        self._compare(name, "to the server", done.sent, seen.messages, done.all_up)
        self._compare(name, "to the client", seen.sent, done.received, done.all_down)

    def _compare(self, name: str, way: str, sent: int, came: int, every: bool) -> None:
        if came < sent and every:
            self.wrong("lost", f"{sent - came} of {sent} from {name} {way}", sent - came)
        if came > sent and (every or way == "to the server"):
            self.wrong("doubled", f"{came} of {sent} came from {name} {way}", came - sent)

    def wait_seen(self, name: str) -> None:
        """Wait until a server has told of the end of this client."""
        until(lambda: name in self._ended, self.patience)

    def settle(self) -> None:
        """All clients have left, but those who stay: nothing of them may be open any more."""
        try:
            until(lambda: not self._open() and not self._seen, self.patience)
        except AssertionError:
            for name in self._open():
                self.wrong("missing", f"the end of {name} was never told")
        with self._lock:
            strangers = sorted(self._seen)
            self._seen.clear()
            self._done.clear()
            self._ended.clear()
        for name in strangers:
            self.wrong("unexpected", f"{name} ended, and no client says that it was this")

    def _open(self) -> list[str]:
        with self._lock:
            return [name for name, done in self._done.items() if done.sure]
