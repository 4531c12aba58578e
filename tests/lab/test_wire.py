import threading
from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sockkit import LengthPrefixed, Lines, ProtocolError, Raw
from sockkit.framing import decoder_factory
from sockkit.lab import Tap
from sockkit.lab.peers import PoliteLeaver

from .loopback import serve, upper


def fed(framing, *pieces):
    """A tap whose one decoder was fed these pieces."""
    wire = Tap(framing)
    decoder = wire.decoder()
    for piece in pieces:
        decoder.feed(piece)
    return wire


def test_glued_messages_show_their_boundaries():
    (receive,) = fed(Lines(), b"one\ntwo\n").receives
    assert receive.messages == ("one", "two")
    assert receive.ends == (4, 8)
    assert receive.waiting == 0


def test_a_message_in_pieces_shows_what_waits():
    first, second = fed(Lines(), b"hel", b"lo\nwor").receives
    assert (first.messages, first.waiting) == ((), 3)
    assert (second.waiting_before, second.messages, second.ends) == (3, ("hello",), (3,))
    assert second.waiting == 3


def test_a_character_in_two_pieces_is_one_message():
    first, second = fed(Lines(), b"\xc3", b"\xa9\n").receives
    assert (first.messages, second.messages) == ((), ("é",))


def test_the_text_shows_bytes_boundaries_and_messages():
    assert fed(Lines(), b"one\ntwo\n", b"hel", b"lo\n").to_text() == (
        "#1 receive of 8 bytes: one\\n│two\\n│  →  'one' 'two'\n"
        "#1 receive of 3 bytes: hel…  →  no message yet, 3 bytes waiting\n"
        "#1 receive of 3 bytes: …lo\\n│  →  'hello'"
    )


def test_the_text_of_nothing_and_of_very_much():
    assert Tap(Lines()).to_text() == "nothing was received"
    text = fed(Lines(), b"x\n" * 1000).to_text()
    assert "and 990 more" in text
    assert len(text) < 400


def test_hostile_bytes_come_out_harmless():
    text = fed(Lines(), "\x1b[31m\u202e\n".encode()).to_text()
    assert text.isprintable()


def test_length_prefixed_and_raw_show_their_boundaries():
    one, two = fed(LengthPrefixed(), b"\0\0\0\2hi\0", b"\0\0\1!").receives
    assert (one.messages, one.ends, one.waiting) == ((b"hi",), (6,), 1)
    assert (two.messages, two.ends, two.waiting) == ((b"!",), (4,), 0)
    (raw,) = fed(Raw(), b"any").receives
    assert (raw.messages, raw.ends) == ((b"any",), (3,))


@given(
    messages=st.lists(st.text(st.characters(exclude_characters="\n", codec="utf-8"), max_size=5)),
    cuts=st.lists(st.integers(1, 4)),
)
def test_the_ends_are_where_the_messages_end_for_any_cut(messages, cuts):
    stream = b"".join(Lines().encode(message) for message in messages)
    wire = Tap(Lines())
    decoder = wire.decoder()
    start = 0
    for size in [*cuts, max(1, len(stream))]:
        if start < len(stream):
            decoder.feed(stream[start : start + size])
        start += size
    newlines = [[at + 1 for at, byte in enumerate(r.data) if byte == 10] for r in wire.receives]
    assert [list(r.ends) for r in wire.receives] == newlines
    assert b"".join(r.data for r in wire.receives) == stream
    assert [m for r in wire.receives for m in r.messages] == messages


def test_what_the_decoder_refuses_is_recorded_and_still_refused():
    wire = Tap(Lines())
    decoder = wire.decoder()
    with pytest.raises(ProtocolError) as caught:
        decoder.feed(b"good\n\xff\xff\n")
    assert caught.value.messages == ["good"]
    (receive,) = wire.receives
    assert receive.messages == ("good",)
    assert receive.ends == (5,)
    assert "utf-8" in receive.error
    assert "refused: " in wire.to_text()


class Shouting:
    """A framing whose messages are not what travelled, and whose decoder tells nothing."""

    def encode(self, message):
        return message.encode()

    def decoder(self):
        return self

    def feed(self, data):
        return [part.decode() + "!!!" for part in data.split()]


def test_where_messages_end_is_not_claimed_when_it_can_not_be_known():
    (receive,) = fed(Shouting(), b"a b").receives
    assert (receive.messages, receive.ends) == (("a!!!", "b!!!"), ())


class Stripping(Lines):
    """What travels is longer than what `encode` would make of the message."""

    def decoder(self):
        decoder = super().decoder()
        feed = decoder.feed
        return SimpleNamespace(feed=lambda data: [m.strip() for m in feed(data)], buffered=0)


def test_ends_that_do_not_add_up_are_not_claimed():
    (receive,) = fed(Stripping(), b"  one  \n").receives
    assert (receive.messages, receive.ends) == (("one",), ())


class Broken(Shouting):
    def encode(self, message):
        raise ZeroDivisionError

    def feed(self, data):
        if data == b"fail":
            raise ZeroDivisionError("my own bug")
        return ["message"] if data == b"whole" else []


def test_a_framing_with_bugs_of_its_own_is_recorded_too():
    wire = fed(Broken(), b"a", b"b", b"whole")
    assert [r.waiting for r in wire.receives] == [1, 2, 0]
    with pytest.raises(ZeroDivisionError):
        wire.decoder().feed(b"fail")
    assert wire.receives[-1].error == "my own bug"


def test_the_tap_is_to_a_server_what_the_wrapped_framing_is():
    assert hasattr(Tap(Lines()).decoder(), "buffered")
    assert not hasattr(Tap(Shouting()).decoder(), "buffered")
    strict = decoder_factory(Tap(Lines()), 3)()
    with pytest.raises(ProtocolError):
        strict.feed(b"four")
    assert Tap(Lines()).encode("hi") == b"hi\n"
    assert repr(Tap(Lines())) == "Tap(Lines('utf-8'))"


def test_the_record_is_bounded_and_says_what_it_forgot():
    wire = Tap(Raw(), max_receives=3)
    decoder = wire.decoder()
    for byte in b"abcde":
        decoder.feed(bytes([byte]))
    assert [r.data for r in wire.receives] == [b"c", b"d", b"e"]
    assert wire.forgotten == 2
    assert wire.to_text().startswith("(2 earlier receives are not kept)")
    wire.clear()
    assert (wire.receives, wire.forgotten) == ((), 0)


def test_a_record_of_few_bytes_keeps_the_newest_however_large():
    wire = Tap(Raw(), max_bytes=10)
    decoder = wire.decoder()
    for data in (b"12345", b"67890", b"x" * 100):
        decoder.feed(data)
    assert [len(r.data) for r in wire.receives] == [100]


def test_it_can_be_waited_for_from_another_thread():
    wire = Tap(Raw())
    decoder = wire.decoder()
    with pytest.raises(TimeoutError, match="0 of 2"):
        wire.wait_for(2, timeout=0.01)
    threading.Timer(0.01, lambda: [decoder.feed(b"a"), decoder.feed(b"b")]).start()
    assert [r.data for r in wire.wait_for(2)] == [b"a", b"b"]


def test_a_server_takes_a_tap_for_its_framing():
    wire = Tap(Lines())
    with serve(upper, framing=wire) as server:
        for text in (b"one\n", b"two\n"):
            with PoliteLeaver(server.address, say=text) as peer:
                assert peer.receive_line() == text.upper()
    assert [(r.connection, r.messages) for r in wire.receives] == [(1, ("one",)), (2, ("two",))]
