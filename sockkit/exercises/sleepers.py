"""Rooms where somebody sleeps, and an answer that is to tell all who are there, and never waits."""

import contextlib
import itertools
import socket
import threading
import time
from collections.abc import Iterable, Sequence
from typing import Any

from sockkit.exercises.buffers import NARROW
from sockkit.exercises.partner import Partner
from sockkit.exercises.trial import Trial
from sockkit.exercises.verdict import NotYet
from sockkit.text import plain

SMALL, LARGE = 1_000, 100_000  # bytes of a message: what everybody takes, and no sleeper
MOST = 5  # messages until the sleeper must have gone
_CROWD = 120  # sleepers: a thousandth of a second for each shows
_AT_ONCE = 0.05  # seconds
_ROOMS = 5  # a right answer is quick in one of them, however busy the machine
_SECONDS = 1.2  # for those rooms, about
_UNEVEN = 2  # times as long, what takes its time may take on a busy machine
_ACKNOWLEDGED = 0.05  # seconds; Linux delays acknowledgements for 40 ms (TCP_DELACK_MIN)
_GONE = "closed, and out of the list."


class Room:
    """Connections of three who read, and the sleepers between them.

    Args:
        trial: whose.
        sleepers: for each, whether its buffer is full already.
        scene: a sentence that says so.
    """

    def __init__(self, trial: Trial, sleepers: Sequence[bool] = (False,), scene: str = "") -> None:
        self.readers: dict[str, Partner] = {}
        self.sleepers: list[Partner] = []
        self.connections: list[socket.socket] = []  # the list that the answer gets
        self.said = 0  # messages so far
        self._trial = trial
        self._scene = f"{scene} " if scene else ""
        self._read("client 1")
        for _ in sleepers:
            sleeper, theirs = trial.pair("the sleeper", room=NARROW)
            self.sleepers.append(sleeper)
            self.connections.append(theirs)
        self._sleeping = self.connections[1:]
        _fill(itertools.compress(self._sleeping, sleepers))
        self._read("client 3")
        self._read("client 4")
        self.everybody = tuple(self.connections)  # as it was, before the answer took anybody out

    def _read(self, name: str) -> None:
        self.readers[name], theirs = self._trial.pair(name)
        theirs.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4 * LARGE)
        self.connections.append(theirs)

    def tell(self, answer: Any) -> float:
        """Have the answer tell all the next message; the seconds that it took."""
        self.said += 1
        begun = time.monotonic()
        running = self._trial.start(answer, self.connections, self._message())
        running.result(
            within=1.5,
            expected="it returns at once, whoever sleeps.",
            then="Which of your calls waits for the client that reads nothing?",
        )
        running.expect_plain()
        return (running.call.ended_at or begun) - begun

    def hear(self) -> None:
        """Everybody who reads has the message.

        Raises:
            NotYet: somebody has not.
        """
        data = self._message()
        for name, reader in self.readers.items():
            got = reader.receive(len(data))
            if got != data:
                what = _received(got, data)
                if reader.ended:
                    what += ": its connection was closed"
                raise NotYet(
                    f"{self._scene}I gave you message {self.said}, of {len(data):,} bytes. "
                    f"C{name[1:]} reads, and {what}.",
                    "everybody who reads gets every message.",
                    "" if reader.ended else self._question(name, got),
                )

    def _question(self, name: str, got: bytes) -> str:
        if got:
            return "What does `send` return?" if len(got) < _size(self.said) else ""
        if name == "client 1":
            return ""
        last = self.readers["client 4"]
        if self._sleeping[-1] not in self.connections and last.receive(1, within=0.1):
            return "What does a `for` do when the list gets shorter under it?"
        return "When one can't take it, what becomes of all who come after it?"

    def has_the_sleeper(self) -> bool:
        """Whether the sleeper is in the list, and open."""
        return self._sleeping[-1] in self.connections and self._sleeping[-1].fileno() >= 0

    def judge_the_sleeper(self) -> None:
        """The sleeper is closed, and out of the list, and that not too late.

        Raises:
            NotYet: it is not so.
        """
        sock, sleeper = self._sleeping[-1], self.sleepers[-1]
        listed, is_open = sock in self.connections, sock.fileno() >= 0
        if listed and is_open:
            raise NotYet(
                f"I gave you {self.said} messages. The sleeper read none, and is still in your "
                "list.",
                "it goes as soon as it can't take a whole message.",
                "What does `send` return, and what does it raise, when the buffer is full?",
            )
        if listed or is_open:
            state = "closed, but still in your list" if listed else "out of your list, but open"
            raise NotYet(f"The sleeper is {state}.", _GONE)
        got, whole = len(sleeper.receive_all()), 0
        if not sleeper.ended:
            raise NotYet("The sleeper is out of your list, but open.", _GONE)
        while whole < self.said and got >= _size(whole + 1):
            whole += 1
            got -= _size(whole)
        if sleeper.ended == "finished" and whole + 1 < self.said:
            raise NotYet(
                f"The sleeper went with message {self.said}; but of message {whole + 1} it had got "
                "only a part, and it stayed in your list.",
                "who misses a part of a message goes at once.",
                "What does `send` return?",
            )

    def judge_the_list(self) -> None:
        """No sleeper is left in the list, nor open; and all who read are in it.

        Raises:
            NotYet: it is not so.
        """
        kept = [sock for sock in self._sleeping if sock in self.connections]
        still_open = [sock for sock in self._sleeping if sock.fileno() >= 0]
        for left, state in (kept, "still in your list"), (still_open, "out of your list, but open"):
            if left:
                who = "it is" if len(self._sleeping) == 1 else f"{len(left)} of them are"
                saw = f"{self._scene}After message {self.said}, {who} {state}."
                raise NotYet(saw, f"who can't take a whole message is {_GONE}")
        count = len(self.connections)
        if count != len(self.readers):
            raise NotYet(
                f"{self._scene}{count} connections are in your list.", "the three who read."
            )

    def close(self) -> None:
        """Close it all, so that many rooms do not add up."""
        for sock in self.everybody:
            sock.close()
        for partner in (*self.readers.values(), *self.sleepers):
            partner.socket.close()

    def _message(self) -> bytes:
        return f"message {self.said} ".encode().ljust(_size(self.said), b".")


def _size(number: int) -> int:
    return SMALL if number == 1 else LARGE


def _received(got: bytes, data: bytes) -> str:
    if not got:
        return "got nothing"
    if data.startswith(got):
        return f"got {len(got):,} bytes, but not all of those"
    return f"got something else: `{plain(got, 20)}`"


def _fill(sockets: Iterable[socket.socket]) -> None:
    """Leave no room in the kernel's buffers, nor when what was sent has been acknowledged."""
    full = list(sockets)
    while sum(_top_up(sock) for sock in full):
        time.sleep(_ACKNOWLEDGED)


def _top_up(sock: socket.socket) -> int:
    """Send as much as there is room for; the bytes that were."""
    sock.setblocking(False)
    count = 0
    with contextlib.suppress(BlockingIOError):
        while True:
            count += sock.send(bytes(NARROW))
    sock.setblocking(True)
    return count


def judge_patience(trial: Trial, answer: Any) -> None:
    """Nobody is waited for: not one sleeper, nor a short while each of many. And all of them go.

    Raises:
        NotYet: somebody is.
    """
    rooms = (
        ("one sleeper", (False,)),
        ("one sleeper whose buffer was full", (True,)),
        (f"{_CROWD} sleepers", (False, True) * (_CROWD // 2)),
    )
    for who, sleepers in rooms:
        scene = f"Between three who read stood {who}."
        took = _shortest(trial, answer, sleepers, scene)
        if _waited(took, trial, answer, len(sleepers)) > _AT_ONCE:
            name = trial.begun[-1].call.name
            whom = "the sleeper" if len(sleepers) == 1 else "each of them"
            raise NotYet(
                f"{scene} `{name}` took {took:.2f} s for two messages: it waited for {whom}, and "
                "all others waited too.",
                "it never waits, not even for a moment.",
                "What does a socket that must not block do, instead of waiting?",
            )


def _shortest(trial: Trial, answer: Any, sleepers: Sequence[bool], scene: str) -> float:
    """Seconds for two messages, in the room of some where they took least."""
    # What waits, waits in every room. A busy machine makes a call slow now and then.
    tries: list[float] = []
    begun = time.monotonic()
    while len(tries) < _ROOMS and time.monotonic() - begun < _SECONDS:
        room = Room(trial, sleepers, scene)
        took = 0.0
        for _ in range(2):
            took += room.tell(answer)
            room.hear()
        room.judge_the_list()
        room.close()
        tries.append(took)
        if took <= _AT_ONCE:
            break
    return min(tries)


def _waited(took: float, trial: Trial, answer: Any, sleepers: int) -> float:
    """What of those seconds was no work. A thread for each send is right as well, and dear."""
    if took <= _AT_ONCE:
        return took
    waited = took - _UNEVEN * min(_time_of_threads(2 * sleepers) for _ in range(2))
    if waited > _AT_ONCE:
        return waited
    # No more than the answer itself takes where there is nobody to wait for.
    return max(waited, took - _UNEVEN * 2 * _time_if_awake(trial, answer, sleepers))


def _time_if_awake(trial: Trial, answer: Any, count: int) -> float:
    """Seconds for a message, now, when so many more have room for it."""
    tries: list[float] = []
    for _ in range(2):
        room = Room(trial, (False,) * count)
        tries.append(room.tell(answer))
        room.close()
    return min(tries)


def _time_of_threads(count: int) -> float:
    """Seconds that so many threads take now, which do nothing."""
    begun = time.monotonic()
    threads = [threading.Thread(target=time.monotonic) for _ in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return time.monotonic() - begun
