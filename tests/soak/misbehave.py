"""Every misbehaving peer of the lab, each with the end that the server must tell of it."""

import random
import select
import socket
import time
from collections.abc import Callable
from contextlib import ExitStack, suppress

from sockkit import Reason
from sockkit.lab.peers import (
    Dribbler,
    GarbageSender,
    NonReader,
    PoliteLeaver,
    Resetter,
    UnreadCloser,
    Vanisher,
    endless_line,
    not_text,
)

from ..core.peers import dial, read_until_gone
from ..waiting import PATIENCE
from .accounts import Done, Judge
from .host import LONGEST, message_timeout

Address = tuple[str, int]


class Scene:
    """What a misbehaving peer needs to know: who it is, where the server is, who judges it."""

    def __init__(self, name: str, address: Address, judge: Judge, source: random.Random) -> None:
        self.name = name
        self.address = address
        self.judge = judge
        self.source = source

    def say(self, *commands: str) -> bytes:
        """These messages, the first one number 0."""
        lines = (f"{self.name} {number} {command}\n" for number, command in enumerate(commands))
        return "".join(lines).encode()

    def over(self, *reasons: Reason, sent: int, all_up: bool = True) -> None:
        """It is at its end: the judge gets the account."""
        self.judge.done(Done(self.name, frozenset(reasons), sent=sent, all_up=all_up))

    def wait_seen(self) -> None:
        """Wait until the server has told of its end."""
        self.judge.wait_seen(self.name)


def leave_politely(scene: Scene) -> None:
    with PoliteLeaver(scene.address, say=scene.say("say", "say", "say"), timeout=PATIENCE):
        pass
    scene.over(Reason.CLOSED, sent=3)


def close_one_half(scene: Scene) -> None:
    with PoliteLeaver(scene.address, say=scene.say(*["say"] * 50), timeout=PATIENCE) as peer:
        peer.half_close()
        peer.wait_closed(PATIENCE)
    scene.over(Reason.CLOSED, sent=50)


def reset(scene: Scene) -> None:
    with Resetter(scene.address, say=scene.say("say"), timeout=PATIENCE) as peer:
        peer.receive_line()
    scene.over(Reason.RESET, sent=1)


def close_with_bytes_unread(scene: Scene) -> None:
    with UnreadCloser(scene.address, say=scene.say("say", "say"), timeout=PATIENCE) as peer:
        select.select([peer._socket], [], [], PATIENCE)
    scene.over(Reason.RESET, sent=2)


def vanish(scene: Scene) -> None:
    with Vanisher(scene.address, say=scene.say("say"), timeout=PATIENCE):
        scene.wait_seen()
    scene.over(Reason.TIMED_OUT, sent=1)


def vanish_and_come_back(scene: Scene) -> None:
    with Vanisher(scene.address, say=scene.say("say"), timeout=PATIENCE):
        time.sleep(scene.source.random())  # nothing is hoped for: any moment is right
    scene.over(Reason.RESET, Reason.TIMED_OUT, sent=1)


def dribble(scene: Scene) -> None:
    data = scene.say("say")
    with Dribbler(scene.address, data, size=3, interval=0.01, timeout=PATIENCE) as peer:
        peer.wait_sent(PATIENCE)
    slow = Reason.TIMED_OUT  # where the machine made it so
    scene.over(Reason.CLOSED, slow, sent=1, all_up=False)


def dribble_for_too_long(scene: Scene) -> None:
    hello = scene.say("say")
    rest = scene.say("say", "x" * 200).removeprefix(hello)
    pause = message_timeout(scene.judge.idle) / 20
    with Dribbler(scene.address, rest, interval=pause, say=hello, timeout=PATIENCE):
        scene.wait_seen()
    scene.over(Reason.TIMED_OUT, sent=1)


def never_read(scene: Scene) -> None:
    with NonReader(scene.address, say=scene.say("flood"), timeout=PATIENCE) as peer:
        peer.wait_closed(PATIENCE)
    scene.over(Reason.TOO_SLOW, sent=1)


def send_garbage(scene: Scene) -> None:
    kind, size = scene.source.choice([(not_text, 40), (endless_line, 2 * LONGEST)])
    options = {"say": scene.say("say"), "seed": scene.source.random(), "timeout": PATIENCE}
    with GarbageSender(scene.address, kind, **options) as peer:
        peer.send_garbage(size)
        peer.wait_closed(PATIENCE)
    scene.over(Reason.PROTOCOL_ERROR, sent=1)


def be_kicked(scene: Scene) -> None:
    command = scene.source.choice(["kick", "close"])
    with PoliteLeaver(scene.address, say=scene.say("say", command), timeout=PATIENCE) as peer:
        peer.wait_closed(PATIENCE)
    scene.over(Reason.KICKED, sent=2)


def meet_an_error(scene: Scene) -> None:
    with PoliteLeaver(scene.address, say=scene.say("say", "raise"), timeout=PATIENCE) as peer:
        peer.wait_closed(PATIENCE)
    scene.over(Reason.HANDLER_ERROR, sent=2)


WAYS: tuple[Callable[[Scene], None], ...] = (
    leave_politely, close_one_half, reset, close_with_bytes_unread, vanish, vanish_and_come_back,
    dribble, dribble_for_too_long, never_read, send_garbage, be_kicked, meet_an_error,
)  # fmt: skip


def rush(name: str, address: Address, judge: Judge, room: int, extra: int) -> None:
    """Fill the server to its last place, be refused beyond it, and leave all at once."""
    began = time.monotonic()
    with ExitStack() as stack:
        raws = [stack.enter_context(dial(address)) for _ in range(room + extra)]
        for raw in raws[room:]:
            if (told := read_until_gone(raw)) != b"the server is full\n":
                judge.wrong("unexpected", f"one too many heard {told!r}")
        inside = raws[:room]
        for number, raw in enumerate(inside):
            with suppress(OSError):
                raw.sendall(f"{name}-{number} 0 say\n".encode())
                raw.shutdown(socket.SHUT_WR)
        late = time.monotonic() - began > judge.idle / 2  # too busy a machine: some are cut off
        for number, raw in enumerate(inside):
            heard = read_until_gone(raw).count(b"\n")
            reasons = frozenset(Reason) if late else frozenset({Reason.CLOSED})
            done = Done(f"{name}-{number}", reasons, 1, heard, not late, not late, sure=not late)
            judge.done(done)
