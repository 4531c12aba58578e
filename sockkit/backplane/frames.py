r"""What servers say to each other: a line of words, then the message as its framing writes it.

    a 5f3c09d1 17 all 0\nhello\n          everybody is to get this
    a 5f3c09d1 18 to 7\npsst\n            client 7 of the server whose channel it comes on
    a 5f3c09d1 19 here 3000\n1 2 7        who is connected to a; good for 3,000 ms
    a 5f3c09d1 20 gone 0\n                a was stopped

`redis-cli subscribe sockkit` shows them as they pass. The second word is another one for each start
of a server; the third counts its frames from 1, so that one which comes too late is known by it.
"""

import re
from typing import NamedTuple

_HEAD = re.compile(rb"([\w.-]{1,80}) ([0-9a-f]{8}) ([0-9]{1,18}) (all|to|here|gone) ([0-9]{1,18})")
_NAME = re.compile(r"[A-Za-z0-9_.-]{1,80}")


class Frame(NamedTuple):
    """One thing that one server says."""

    server: str  # who says it
    run: str  # in which of its lives, from a start to a stop
    serial: int  # 1, 2, 3, … within that
    kind: str  # all, to, here, gone
    number: int  # to: which client; here: milliseconds that it is good for
    data: bytes

    def pack(self) -> bytes:
        """The bytes that carry it."""
        return f"{' '.join(map(str, self[:-1]))}\n".encode() + self.data


def unpack(packed: bytes) -> Frame:
    """The frame in these bytes.

    Raises:
        ValueError: there is none. Anybody may have published them.
    """
    head, _, data = packed.partition(b"\n")
    found = _HEAD.fullmatch(head)
    if found is None:
        raise ValueError("this is not what one server says to another")
    server, run, serial, kind, number = (word.decode() for word in found.groups())
    return Frame(server, run, int(serial), kind, int(number), data)


def check_name(name: str, what: str) -> None:
    """Refuse a name that can't stand in a line of words, or before or after an `@`.

    Raises:
        ValueError: it can't.
    """
    if not _NAME.fullmatch(name):
        text = f"{what} is a name of letters, digits, '_', '.' and '-'; this is {name!r}"
        raise ValueError(text)
