"""What one input does to a server: any bytes are a script of steps, and each step is readable.

Bytes, because that is what a fuzzer changes and a corpus keeps; steps, because a finding has to be
understood. The first byte chooses one of the `SETTINGS`. Then each step is a byte for its kind, one
for its argument, and perhaps some data; a kind of 8 and more lets the loop run before it goes on.
"""

import itertools
from collections.abc import Iterator
from typing import Any, NamedTuple

from sockkit import LengthPrefixed, Limits, Lines, Raw

LONGEST = 24  # bytes of a message
READ = 32  # bytes of one receive
TOKEN = "secret"
FRAMINGS = (Lines(), Lines("gb18030"), Lines("iso2022_jp"), LengthPrefixed(), Raw())
HANDLERS = ("plain", "paced", "at once", "waits")
LIMITS = Limits(max_message=LONGEST, max_pending=100, idle_timeout=30, message_timeout=10, linger=5)


class Setting(NamedTuple):
    """A kind of server."""

    framing: Any
    token: str | None
    handler: str


SETTINGS = list(itertools.starmap(Setting, itertools.product(FRAMINGS, (None, TOKEN), HANDLERS)))


class Step(NamedTuple):
    """One thing that happens to a server.

    Kinds: the peer says `bytes`; a token; the loop has some turns or time passes; the server sends,
    broadcasts or disconnects; the peer takes so many bytes and no more; the peer ends.
    """

    kind: str
    value: Any
    then_run: bool

    def __str__(self) -> str:
        value = repr(self.value)
        if len(value) > 70:
            value = f"{value[:50]}... ({len(self.value)} bytes)"
        return f"{self.kind} {value}{', then the loop runs' if self.then_run else ''}"


class Script(NamedTuple):
    """A setting, and what happens in it."""

    setting: Setting
    steps: list[Step]

    def __str__(self) -> str:
        return "\n".join([str(self.setting), *(f"    {step}" for step in self.steps)])


def read(data: bytes) -> Script:
    """The script that these bytes are. All bytes are one."""
    setting = SETTINGS[data[0] % len(SETTINGS)] if data else SETTINGS[0]
    return Script(setting, list(_steps(data[1:], setting.framing)))


def _steps(data: bytes, framing: Any) -> Iterator[Step]:
    at = 0

    def take(count: int) -> bytes:
        nonlocal at
        at += count
        return data[at - count : at]

    while at < len(data):
        kind = take(1)[0]
        value: Any = (take(1) or b"\0")[0]
        match kind % 8:
            case 0:
                name, value = "say", take(value % 64)
            case 1:
                name, value = "say", _whole(framing, take(value % 32))
            case 2:
                name, value = "say", bytes([value]) * 5 * (take(1) or b"\1")[0]
            case 3:
                name, value = "say", TOKEN.encode() + b"\n"
            case 4 if value < 128:
                name, value = "turns", value % 8
            case 4:
                name, value = "seconds", (value - 128) / 4
            case 5:
                name = ("send", "broadcast", "disconnect", "send")[value % 4]
                value = _message(framing, value // 4)
            case 6:
                name, value = "window", None if value == 255 else 4 * value
            case _:
                name, value = "end", ("fin", "reset", "vanish", "fin")[value % 4]
        yield Step(name, value, then_run=kind % 16 >= 8)


def _whole(framing: Any, data: bytes) -> bytes:
    """A whole message with these bytes in it, good or bad."""
    if isinstance(framing, LengthPrefixed):
        return len(data).to_bytes(4, "big") + data
    return data if isinstance(framing, Raw) else data.replace(b"\n", b"") + b"\n"


def _message(framing: Any, size: int) -> Any:
    """What a server can send."""
    return "s" * size if isinstance(framing, Lines) else b"s" * size
