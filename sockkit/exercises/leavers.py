"""Who talks to an answer that echoes and then tells how its client left: clients, each one once."""

import secrets
from typing import Any

from sockkit.exercises.trial import Trial
from sockkit.exercises.verdict import NotYet
from sockkit.text import plain

LETTERS = "Is that, letter by letter, one of the texts that are asked for?"
_PATIENCE = 10  # seconds: with a timeout, one `send` takes a part of what it is given
_ROOM = 16_384  # bytes of the kernel's buffers, for a client that reads slowly
_MUCH = b"x" * 100_000


class Leaver:
    """One client of the answer. What it finds wrong, it raises as `NotYet`."""

    def __init__(self, trial: Trial, answer: Any, room: int | None = None) -> None:
        self.partner, self._theirs = trial.pair(room=room)
        self._trial = trial
        self._answer = answer
        self._calls: list[tuple[Any, bool]] = []  # each reason, and whether it was open then

    @classmethod
    def with_little_room(cls, trial: Trial, answer: Any) -> "Leaver":
        """One that says much at once, and has little room for the echo."""
        leaver = cls(trial, answer, _ROOM)
        leaver._theirs.settimeout(_PATIENCE)
        leaver.partner.send(_MUCH)
        leaver.start()
        got = len(leaver.partner.receive(len(_MUCH)))
        if got < len(_MUCH):
            raise NotYet(
                f"I sent {len(_MUCH):,} bytes at once, and got {got:,} of them back.",
                "all of them.",
                "Does the call that sends promise to send all?",
            )
        return leaver

    def start(self) -> None:
        """Begin to call the answer."""

        def left(reason: Any) -> None:
            self._calls.append((reason, self._theirs.fileno() >= 0))

        self._running = self._trial.start(self._answer, self._theirs, left)

    def expect_echoes(self) -> None:
        """Say a few things, and then nothing for a while."""
        waits = "What does your code wait for, before it sends back what has come?"
        for message in (b"hello", b" \r\n", secrets.token_hex(4).encode(), b"\nhello again "):
            self.partner.send(message)
            got = self.partner.receive(len(message))
            if got != message:
                back = f"got `{plain(got, 40)}`" if got else "got nothing"
                end = ", and then you closed" if self.partner.ended else ""
                saw = f"I sent `{plain(message, 40)}` and {back}{end}."
                then = "" if got or self.partner.ended else waits
                raise NotYet(saw, "every message comes back, as it is, until I leave.", then)
            waits = ""  # it does send back
        self._running.expect_patience("left", "it goes on until I have left.")

    def leave(self, reason: str) -> None:
        """Leave in this way, "closed" or "reset"."""
        if reason == "closed":
            self.partner.finish()
        else:
            self.partner.reset()

    def expect_told(self, way: str, *reasons: str) -> None:
        """One of these reasons must have been told, once, when the connection was closed."""
        error = self._running.call.error if self._running.ended(2.0) else None
        if self._calls and isinstance(error, ConnectionError):
            self._running.judged = True  # out of a `finally` that told, say: no matter here
        else:
            self._running.result(
                within=0.0,  # it had its time
                expected="it returns once the client has left.",
                then="What does `recv` return after a FIN, and which way leads out of your loop?",
            )
        told = [reason for reason, _ in self._calls]
        if len(told) != 1 or told[0] not in reasons:
            calls = ", ".join(f"`left({reason!r})`" for reason in told) or "nothing"
            ways = "How many ways lead out of your loop, and which of them pass that call?"
            raise NotYet(
                f"One client left ({way}), and you called {plain(calls, 100)}.",
                " or ".join(f'`left("{reason}")`' for reason in reasons) + ", once.",
                LETTERS if len(told) == 1 and told[0] not in ("closed", "reset") else ways,
            )
        if self._calls[0][1] and self._theirs.fileno() < 0:
            raise NotYet(
                f"A client left ({way}). You called `left` while the connection was still open.",
                "closed first, and then `left`.",
                "What does your program still do after that call?",
            )
        self._expect_closed(way)

    def _expect_closed(self, way: str) -> None:
        mine = self.partner.socket.fileno() >= 0
        more = self.partner.receive_all(0.3) if mine else b""
        if more:
            saw = f"After my last byte you sent `{plain(more, 40)}`."
            raise NotYet(saw, "nothing but the echo.")
        if self._theirs.fileno() >= 0 or (mine and not self.partner.ended):
            raise NotYet(f"A client left ({way}); its connection is still open here.", "closed.")
