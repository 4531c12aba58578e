"""The guests whom a learner's test lets in: written down, timed, and sent home at its end."""

import time
from collections.abc import Callable

from sockkit.lab import guest
from sockkit.sync import Server
from sockkit.text import plain


class Steps:
    """How long guests were at work: what a test takes beside that, it has spent on the clock."""

    def __init__(self) -> None:
        self.seconds = 0.0
        self._depth = 0  # a step may take others
        self._started = 0.0

    def __enter__(self) -> None:
        if not self._depth:
            self._started = time.monotonic()
        self._depth += 1

    def __exit__(self, *exc_info: object) -> None:
        self._depth -= 1
        if not self._depth:
            self.seconds += time.monotonic() - self._started


class Door:
    """What a test is given: called with a name, it lets a guest in. All guests go at the end."""

    def __init__(self, server: Server, patience: float, note: Callable[[str], None]) -> None:
        self.server = server
        self.patience = patience
        self.note = note
        self.steps = Steps()
        self._guests: list[Guest] = []

    def __call__(self, name: str = "") -> "Guest":
        """A new guest."""
        with self.steps:
            newcomer = Guest(self, name)
        self._guests.append(newcomer)
        return newcomer

    def __enter__(self) -> "Door":
        return self

    def __exit__(self, *exc_info: object) -> None:
        for one in self._guests:
            one.drop()


class Guest(guest.Guest):
    """A guest whose lines go to the wire trace, and whose steps are timed."""

    def __init__(self, door: Door, name: str) -> None:
        self._door = door
        super().__init__(door.server, name, door.patience)

    def say(self, text: str) -> None:
        """As a guest does."""
        with self._step():
            self._door.note(f"client {self.number} → {plain(text, 60)}")
            super().say(text)

    def heard(self) -> list[str]:
        """As a guest does."""
        with self._step():
            lines = super().heard()
            self._door.note(f"client {self.number} ← {plain('; '.join(lines) or 'nothing', 100)}")
        return lines

    def who(self) -> list[str]:
        """As a guest does."""
        with self._step():
            return super().who()

    def leave(self) -> None:
        """As a guest does."""
        with self._door.steps:
            self._door.note(f"client {self.number} leaves")
            super().leave()

    def crash(self) -> None:
        """As a guest does."""
        with self._step():
            self._door.note(f"client {self.number} crashes")
            super().crash()

    def drop(self) -> None:
        """Close it, without a word."""
        self._socket.close()

    def _step(self) -> Steps:
        if self.gone:
            raise ConnectionError(f"client {self.number} has left, and takes no more steps")
        return self._door.steps
