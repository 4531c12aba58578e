"""Work that stands still when the check wants it to, and what a handler is given meanwhile."""

import asyncio
import functools
import threading
from collections.abc import Callable, Sequence
from typing import Any

from sockkit.exercises.partner import Partner
from sockkit.exercises.trial import Trial
from sockkit.exercises.verdict import NotYet
from sockkit.text import plain

_STILL = 1.05  # seconds that `work` stands still: whoever bounds it, takes a second or less
_AT_ONCE = 0.05  # seconds in which a second answer comes, or one that went to somebody else
_TICK = 0.005  # seconds between two looks of a `work` that stands still


class Work:
    """The `work` that an answer gets, and what becomes of it and of the messages."""

    def __init__(self) -> None:
        self.asked: list[str] = []  # the text of each call that has begun
        self.results: dict[str, str] = {}  # what it returned for a text; popped when looked at
        self.given: list[tuple[int, str]] = []  # each message that the kit gave to the handler
        self.still: list[str] = []  # the texts for which it stands still
        self.long_still: set[str] = set()  # those for which it has stood still for _STILL
        self.cancelled = ""  # the text for which it was cancelled meanwhile
        self.elsewhere = False  # it ran in an event loop that is not the handler's
        self._loop: asyncio.AbstractEventLoop | None = None
        self._gate = threading.Event()  # of no loop, since the answer chooses the loop

    def handler(self, answer: Any) -> Callable[[Any, str], Any]:
        """The answer as a server's callback."""

        @functools.wraps(answer)
        def on_message(connection: Any, text: str) -> Any:
            self._loop = asyncio.get_running_loop()
            self.given.append((connection.number, text))
            return answer(connection, text, self.work)

        return on_message

    async def work(self, text: str) -> str:
        """The text in capitals and a number, which nobody knows who has not asked."""
        self.asked.append(text)
        result = f"{text.upper()}, {len(self.asked)}"
        self.elsewhere |= asyncio.get_running_loop() is not self._loop
        if text.startswith("slow") and not self.elsewhere:
            await self._stand_still(text)
        self.results[text] = result
        return result

    async def _stand_still(self, text: str) -> None:
        self.still.append(text)
        # By the loop's own clock: whatever bounds the time in it has fired before.
        now = asyncio.get_running_loop().time
        end = now() + _STILL
        try:
            while not self._gate.is_set():
                await asyncio.sleep(_TICK)
                if now() > end:
                    self.long_still.add(text)
        except asyncio.CancelledError:
            self.cancelled = text
            raise

    def ahead(self) -> tuple[int, str] | None:
        """A message that the handler was given while `work` stood still for the one before it."""
        return next((each for each in self.given if each[1].startswith("quick")), None)

    def go_on(self) -> None:
        """Let all that stands still go on."""
        self._gate.set()


def judge_alone(trial: Trial, work: Work, partner: Partner) -> None:
    """What becomes of the very first message, while nobody else is there.

    Raises:
        NotYet: not what should.
    """
    partner.send(b"hello\n")
    line = partner.receive_line()
    got = f"I got `{_shown(line)}`" if line else "nothing was sent"
    if not work.asked:
        then = "" if line else "Which word runs what a coroutine function returns?"
        saw = f"I said `hello`, {got}, and `work` did not run."
        raise NotYet(saw, "what `work` returns, once it has run.", then)
    if work.elsewhere:
        raise NotYet(
            "I said `hello`, and `work` ran in another event loop than your handler.",
            "`await work(text)` in the loop of the server, which runs already.",
        )
    _judge_count(work, 1, "once")
    result = work.results.pop("hello", "")
    if _shown(line) != result:
        then = "" if line else "What a handler returns does not go to the client. What does?"
        saw = f"I said `hello`, `work` returned `{result}`, and {got}."
        raise NotYet(saw, f"`{result}`.", then)
    if line := partner.receive_line(within=_AT_ONCE):
        saw = f"I said `hello` once, and got a second answer: `{_shown(line)}`."
        raise NotYet(saw, "one answer to each message.")
    if partner.ended or trial.hopeless():  # it failed after it had answered
        saw = f"I said `hello`, got `{result}`, and then you closed the connection."
        raise NotYet(saw, "it stays open, for the next message.")


def _judge_count(work: Work, said: int, times: str) -> None:
    count = work.asked.count("hello")
    if count > said:
        saw = f"I said `hello` {times}, and `work` ran {count} times for it."
        raise NotYet(saw, "it runs once for each message.")


def judge_two_that_stand_still(trial: Trial, work: Work, partners: Sequence[Partner]) -> None:
    """Two clients' messages wait for their `work`, and the third client does not.

    Raises:
        NotYet: it does, or one of the two does not wait.
    """
    partners[0].send(b"slow 1\nquick 2\nquick 3\n")
    partners[1].send(b"slow 4\nquick 5\n")
    if not trial.wait(lambda: len(work.still) == 2):
        raise NotYet(
            "Client 1 said `slow 1` and client 2 said `slow 4`, which take long. `work` ran for "
            f"{f'`{work.still[0]}` alone' if work.still else 'neither'}.",
            "for both, side by side.",
            "Does one client's work keep all the others waiting?",
        )
    partners[2].send(b"hello\n")
    _judge_the_third(work, partners)
    trial.wait(lambda: bool(work.ahead() or work.cancelled or len(work.long_still) == 2), within=3)
    if work.cancelled:
        saw = f"`work` had not returned yet for `{work.cancelled}`, and was cancelled."
        raise NotYet(saw, "it may take as long as it needs.")
    if ahead := work.ahead():
        number, text = ahead
        raise NotYet(
            f"`work` stood still for a message of client {number}. Your handler had returned, so "
            f"the kit gave it the next one, `{text}`.",
            "it stops reading, and the sender has to wait.",
            "Who waits for the `work` of a message?",
        )
    _judge_count(work, 2, "twice")


def _judge_the_third(work: Work, partners: Sequence[Partner]) -> None:
    line = partners[2].receive_line()
    result = work.results.pop("hello", "")
    if line and _shown(line) == result:
        return
    said = "While `work` stood still for two clients, client 3 said `hello` and got "
    if line:
        ran = "" if result else ", and `work` did not run for it"
        expected = f"`{result}`." if result else "what `work` returns, once it has run."
        raise NotYet(f"{said}`{_shown(line)}`{ran}.", expected)
    for number, other in enumerate(partners[:2], 1):
        if line := other.receive_line(within=_AT_ONCE):
            got = f"no answer; client {number} got `{_shown(line)}`"
            raise NotYet(f"{said}{got}.", "the answer goes to the client that asked.")
    then = "Does one client's work keep all the others waiting?"
    raise NotYet(f"{said}no answer.", "the others are served meanwhile.", then)


def judge_in_order(work: Work, partner: Partner, number: int, texts: Sequence[str]) -> None:
    """Once `work` has gone on: an answer to each message, in order.

    Raises:
        NotYet: something else came.
    """
    for text in texts:
        line = partner.receive_line()
        result = work.results.pop(text, "")
        if not line or _shown(line) != result:
            ran = f"`work` returned `{result}` for it" if result else "`work` did not run for it"
            got = f"got `{_shown(line)}`" if line else "got nothing"
            raise NotYet(
                f"`work` went on. Client {number} had said `{text}`; {ran}, and the client {got}.",
                "an answer to each message, in order.",
            )


def _shown(line: bytes) -> str:
    return plain(line.rstrip(), 60)
