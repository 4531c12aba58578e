"""For every way of cutting the bytes, the messages are the same, and so are the faults."""

import contextlib
import encodings.aliases
import functools
import random
import traceback
from collections.abc import Callable
from unittest import mock

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from sockkit import framing as framing_module
from sockkit.errors import MessageTooLarge, ProtocolError
from sockkit.framing import Decoder, LengthPrefixed, Lines, Raw, decoder_factory
from sockkit.limits import Limits

from .meaning import Meaning, cut, lengths_of, lines_of, meaning, one_by_one

ENCODINGS = ["utf-8", "ascii", "latin-1", "cp1252", "gb18030", "shift_jis", "euc_kr", "iso2022_jp"]


CUTS = st.lists(st.integers(min_value=0), max_size=12)
# Bytes that mean something in one encoding or another, or to the framing, and any others.
NASTY = st.lists(
    st.sampled_from([b"\n", b"\r", b"a", b"\xff", b"\x81", b"\xe3\x81", b"\x1b$B", b"\x0e", b"\0"])
    | st.binary(max_size=6),
    max_size=20,
).map(b"".join)


# Lines.


BOUNDS = st.integers(1, 12) | st.just(999)
LONG = st.sampled_from([1, 3, 512])  # what counts as a long line, which is cut in another way


@given(NASTY, CUTS, st.sampled_from(ENCODINGS), BOUNDS, LONG)
@example(b"a\x1b\n\na\x1b$B!\n", [], "iso2022_jp", 99, 512)  # its escapes reach over a newline
@example(b"good\n\xff\nnever seen\n", [], "utf-8", 99, 512)
@example(b"good\n\xff\nnever seen\n\n\n", [], "utf-8", 99, 1)
def test_lines_mean_the_same_in_whatever_pieces_they_come(
    stream: bytes, places: list[int], encoding: str, max_message: int, long: int
) -> None:
    expected = lines_of(stream, encoding, max_message)
    with mock.patch.object(framing_module, "_LONG", long):
        for pieces in ([stream], cut(stream, places), one_by_one(stream)):
            assert meaning(Lines(encoding).decoder(max_message), pieces) == expected


@pytest.mark.parametrize("first", [0, 1, 511, 512, 513, 3000])
def test_long_lines_and_short_ones_arrive_side_by_side(first: int) -> None:
    lines = ["x" * first, "", "\u00e9" * 1000, "", "", "y", "z" * 2000, ""]
    stream = "".join(f"{line}\n" for line in lines).encode()
    for pieces in ([stream], cut(stream, [700, 1501, 3000]), one_by_one(stream)):
        assert meaning(Lines().decoder(), pieces) == Meaning(lines, None)


@functools.cache
def alphabet(encoding: str) -> list[str]:
    """The characters that this encoding can write and read again."""
    found = []
    for character in map(chr, (*range(0x180), *range(0x180, 0x20000, 997), 0x3042, 0x4E00, 0xAC00)):
        with contextlib.suppress(UnicodeError):
            if character.encode(encoding).decode(encoding) == character != "\n":
                found.append(character)
    return found


@pytest.mark.parametrize("encoding", ENCODINGS)
@given(st.data())
def test_lines_arrive_as_they_were_sent(encoding: str, data: st.DataObject) -> None:
    texts = data.draw(st.lists(st.text(alphabet(encoding)), max_size=8))
    framing = Lines(encoding)
    stream = b"".join(framing.encode(text) for text in texts)
    assert meaning(framing.decoder(), cut(stream, data.draw(CUTS))) == Meaning(texts, None)


def accepted_by_lines() -> list[str]:
    names = sorted({*encodings.aliases.aliases.values(), "raw_unicode_escape", "utf_8_sig"})
    accepted = []
    for name in names:
        try:
            accepted.append(Lines(name).encoding)
        except (ValueError, LookupError):
            continue
    return accepted


@pytest.mark.parametrize("encoding", accepted_by_lines())
def test_no_encoding_that_lines_accepts_is_fooled_by_a_cut(encoding: str) -> None:
    chance = random.Random(encoding)
    alphabet = b"\n\n\x1b$B(J\\u0a\x81\xff\xe3a~{}\x0e\x0f"
    for _ in range(300):
        stream = bytes(chance.choices(alphabet, k=chance.randrange(16)))
        whole = meaning(Lines(encoding).decoder(), [stream])
        assert meaning(Lines(encoding).decoder(), one_by_one(stream)) == whole, stream


@pytest.mark.parametrize("encoding", ["utf-16", "utf-32", "utf-7", "utf-8-sig", "cp037"])
def test_lines_refuses_an_encoding_in_which_ascii_is_not_itself(encoding: str) -> None:
    with pytest.raises(ValueError, match="encod"):
        Lines(encoding)


@pytest.mark.parametrize("encoding", ["no-such-encoding", "base64"])
def test_lines_refuses_what_is_no_text_encoding(encoding: str) -> None:
    with pytest.raises(LookupError, match=encoding):
        Lines(encoding)


@pytest.mark.parametrize("message", [b"bytes", 5, None, ["a"], {"a": 1}, object()])
def test_lines_carries_str_alone(message: object) -> None:
    advice = ": decode bytes first" if message == b"bytes" else ""
    with pytest.raises(TypeError, match=f"not {type(message).__name__}{advice}$"):
        Lines().encode(message)  # type: ignore[arg-type]


def test_a_line_holds_no_newline() -> None:
    with pytest.raises(ProtocolError, match="newline"):
        Lines().encode("one\ntwo")


def test_a_line_holds_no_character_that_its_encoding_lacks() -> None:
    with pytest.raises(ProtocolError, match="ascii cannot write"):
        Lines("ascii").encode("naïve")


def test_half_a_surrogate_is_no_text() -> None:
    with pytest.raises(ProtocolError, match="utf-8 cannot write"):
        Lines().encode("\ud800")


def test_the_fault_says_where_and_why() -> None:
    with pytest.raises(ProtocolError, match="byte 2 of a line is not utf-8: invalid start byte"):
        Lines().decoder().feed(b"first\nab\xff\n")


# Lengths.


@given(st.lists(st.binary(max_size=9).map(LengthPrefixed().encode) | NASTY).map(b"".join), CUTS)
@example(b"\0\0\0\1a\xff\xff\xff\xff", [])
def test_lengths_mean_the_same_in_whatever_pieces_they_come(
    stream: bytes, places: list[int]
) -> None:
    expected = lengths_of(stream, 8)
    for pieces in ([stream], cut(stream, places), one_by_one(stream)):
        assert meaning(LengthPrefixed().decoder(8), pieces) == expected


@given(st.lists(st.binary(max_size=300), max_size=8), CUTS)
def test_any_bytes_arrive_as_they_were_sent(messages: list[bytes], places: list[int]) -> None:
    stream = b"".join(map(LengthPrefixed().encode, messages))
    decoder = LengthPrefixed().decoder()
    assert meaning(decoder, cut(stream, places)) == Meaning(messages, None)


@pytest.mark.parametrize("framing", [LengthPrefixed(), Raw()])
@pytest.mark.parametrize("message", ["text", 5, None, [1]])
def test_bytes_are_carried_alone(framing: LengthPrefixed | Raw, message: object) -> None:
    advice = ": encode text first" if message == "text" else ""
    with pytest.raises(TypeError, match=f"not {type(message).__name__}{advice}$"):
        framing.encode(message)  # type: ignore[arg-type]


@pytest.mark.parametrize("framing", [LengthPrefixed(), Raw()])
@pytest.mark.parametrize("kind", [bytes, bytearray, memoryview])
def test_all_kinds_of_bytes_are_carried(
    framing: LengthPrefixed | Raw, kind: Callable[[bytes], bytes]
) -> None:
    assert meaning(framing.decoder(), [framing.encode(kind(b"data"))]).messages == [b"data"]


def test_four_gibibytes_have_no_length() -> None:
    class Enormous(bytes):
        def __len__(self) -> int:
            return 1 << 32

        def __bytes__(self) -> "Enormous":
            return self

    with pytest.raises(ProtocolError, match="4 GiB"):
        LengthPrefixed().encode(Enormous())


def test_a_length_too_large_is_refused_before_its_bytes_come() -> None:
    with pytest.raises(MessageTooLarge, match="4294967295 bytes; the limit is 65536"):
        LengthPrefixed().decoder().feed(b"\xff\xff\xff\xff")


# Raw.


@given(st.lists(st.binary(max_size=20)))
def test_raw_passes_on_what_comes_as_it_comes(pieces: list[bytes]) -> None:
    assert meaning(Raw().decoder(), pieces) == Meaning([piece for piece in pieces if piece], None)


# Bounds.


@pytest.mark.parametrize("size", [0, 1, 4095, 65_535, 65_536])
@pytest.mark.parametrize("step", [1000, 65_536, 200_000])
def test_a_message_of_any_size_up_to_the_limit_arrives(size: int, step: int) -> None:
    for framing, message in ((Lines(), "x" * size), (LengthPrefixed(), b"x" * size)):
        stream = framing.encode(message) * 3  # type: ignore[arg-type]
        pieces = [stream[start : start + step] for start in range(0, len(stream), step)]
        assert meaning(framing.decoder(), pieces) == Meaning([message] * 3, None)


@pytest.mark.parametrize("framing", [Lines(), LengthPrefixed()])
def test_one_byte_more_is_too_large(framing: Lines | LengthPrefixed) -> None:
    message = "x" * 65_537 if isinstance(framing, Lines) else b"x" * 65_537
    with pytest.raises(MessageTooLarge, match="65536"):
        framing.decoder().feed(framing.encode(message))  # type: ignore[arg-type]


@pytest.mark.parametrize("framing", [Lines(), LengthPrefixed()])
@given(NASTY, CUTS)
def test_no_more_is_buffered_than_one_message(
    framing: Lines | LengthPrefixed, stream: bytes, places: list[int]
) -> None:
    decoder = framing.decoder(max_message=8)
    for piece in cut(stream, places):
        try:
            decoder.feed(piece)
        except ProtocolError:
            assert decoder.buffered == 0
        assert decoder.buffered < 4 + 8 + 1


def test_an_endless_line_costs_no_more_than_its_limit() -> None:
    decoder = Lines().decoder(max_message=1000)
    decoder.feed(b"x" * 1000)
    for _ in range(3):  # the fault stays
        with pytest.raises(MessageTooLarge, match="more than 1000 bytes"):
            decoder.feed(b"x" * 100_000)
    assert decoder.buffered == 0


@pytest.mark.parametrize("decoder", [Lines().decoder(1), LengthPrefixed().decoder(1)])
def test_a_fault_does_not_keep_the_data_that_comes_after_it(decoder: Decoder) -> None:
    for _ in range(3):
        with pytest.raises(MessageTooLarge) as raised:
            decoder.feed(b"\xff" * 100)
    frames = [frame.f_code.co_name for frame, _ in traceback.walk_tb(raised.tb)]
    assert frames.count("feed") == 1


@pytest.mark.parametrize("framing", [Lines(), LengthPrefixed()])
def test_a_hundred_thousand_pieces_of_garbage_raise_nothing_but_protocol_errors(
    framing: Lines | LengthPrefixed,
) -> None:
    chance = random.Random(5)
    garbage = chance.randbytes(1 << 16)
    for _ in range(100_000):
        start = chance.randrange(1 << 16)
        try:
            framing.decoder(max_message=64).feed(garbage[start : start + start % 24])
        except ProtocolError:
            continue


# Framings of one's own.


class Halves:
    """Two bytes each. Its decoder takes no bound."""

    def encode(self, message: bytes) -> bytes:
        return message

    def decoder(self) -> Decoder:
        return Raw().decoder()


def test_a_bound_is_passed_to_a_framing_that_takes_one() -> None:
    with pytest.raises(MessageTooLarge):
        decoder_factory(Lines(), 3)().feed(b"four\n")


def test_a_framing_that_takes_no_bound_is_used_as_it_is() -> None:
    assert decoder_factory(Halves(), 3)().feed(b"four") == [b"four"]


def test_the_default_bound_is_the_one_in_limits() -> None:
    assert meaning(Lines().decoder(), [b"x" * Limits().max_message + b"\n"]).fault is None
    assert meaning(Lines().decoder(), [b"x" * Limits().max_message + b"x"]).fault is MessageTooLarge


def test_framings_show_what_they_are() -> None:
    shown = [repr(framing) for framing in (Lines("latin-1"), LengthPrefixed(), Raw())]
    assert shown == ["Lines('latin-1')", "LengthPrefixed()", "Raw()"]
