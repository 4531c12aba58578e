"""The bytes of each receive: whole, glued, torn, refused."""

import contextlib
import re

from sockkit.errors import ProtocolError
from sockkit.framing import Lines
from sockkit.lab.wire import Tap
from sockkit.widgets import WireView


def view(*pieces: bytes) -> WireView:
    """The view of one connection that received these pieces."""
    tap = Tap(Lines())
    decoder = tap.decoder()
    for piece in pieces:
        with contextlib.suppress(ProtocolError):
            decoder.feed(piece)
    return WireView(tap)


def boxes(wire: WireView) -> list[str]:
    """The kinds of the boxes, without the three of the legend."""
    return re.findall(r'<rect class="((?:even|odd)(?: torn)?)"', wire.to_svg())[3:]


def verdicts(wire: WireView) -> list[str]:
    text = r">(one message|\d+ messages glued|no message yet|refused)( and a part)?<"
    return ["".join(found) for found in re.findall(text, wire.to_svg())]


def test_nothing_yet() -> None:
    assert view().to_text() == "nothing was received"
    assert boxes(view()) == []


def test_one_whole_message() -> None:
    assert boxes(view(b"hello\n")) == ["even"]
    assert verdicts(view(b"hello\n")) == ["one message"]


def test_glued_messages_differ_in_colour() -> None:
    wire = view(b"one\ntwo\nthree\n")
    assert boxes(wire) == ["even", "odd", "even"]
    assert verdicts(wire) == ["3 messages glued"]


def test_a_torn_message_has_one_colour_in_all_its_pieces() -> None:
    wire = view(b"one\nhel", b"l", b"o\nnext\n")
    assert boxes(wire) == ["even", "odd torn", "odd torn", "odd torn", "even"]
    assert verdicts(wire) == ["one message and a part", "no message yet", "2 messages glued"]


def test_refused_bytes_are_named() -> None:
    wire = view(b"good\n\xff\n")
    assert verdicts(wire) == ["refused"]
    assert "refused" in dict(wire.scene().details["0"])


def test_one_connection_only() -> None:
    tap = Tap(Lines())
    first, second = tap.decoder(), tap.decoder()
    first.feed(b"first\n")
    second.feed(b"second\n")
    wire = WireView(tap, connection=2)
    assert "first" not in wire.to_text()
    assert "second" in wire.to_text()


def test_only_the_newest_rows_are_drawn() -> None:
    wire = view(*[b"line\n"] * 150)
    assert len(boxes(wire)) == 100
    assert "50 older ones left out" in wire.caption()


def test_details_show_the_bytes() -> None:
    details = dict(view(b"h\xc3\xa9\n").scene().details["0"])
    assert details["hexadecimal"] == "68 c3 a9 0a"
    assert details["messages"] == "'hé'"
