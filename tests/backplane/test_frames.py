"""What servers say to each other, and what they make of nonsense."""

import pytest
from hypothesis import given
from hypothesis import strategies as some

from sockkit.backplane.frames import Frame, unpack
from sockkit.backplane.presence import Presence

NAMES = some.from_regex(r"[A-Za-z0-9_.-]{1,80}", fullmatch=True)
RUNS = some.from_regex(r"[0-9a-f]{8}", fullmatch=True)
COUNTS = some.integers(0, 10**18 - 1)
KINDS = some.sampled_from(["all", "to", "here", "gone"])


@given(some.builds(Frame, NAMES, RUNS, COUNTS, KINDS, COUNTS, some.binary()))
def test_what_was_packed_is_unpacked(frame: Frame) -> None:
    assert unpack(frame.pack()) == frame


@given(some.binary() | some.text().map(str.encode))
def test_nonsense_is_refused_and_nothing_else_happens(data: bytes) -> None:
    try:
        frame = unpack(data)
    except ValueError:
        return
    assert frame.pack() == data


@pytest.mark.parametrize(
    "head",
    [
        "a 12345678 1 all",
        "a 12345678 1 shout 0",
        "a 12345678 x all 0",
        "a 1234567 1 all 0",
        "a@b 12345678 1 all 0",
        "a 12345678 1 all 0 0",
        "a 12345678 1 all -1",
    ],
)
def test_a_line_that_is_nearly_one_is_refused(head: str) -> None:
    with pytest.raises(ValueError, match="not what one server says"):
        unpack(f"{head}\nhello\n".encode())


# Who is connected, as it was told.


def said(kind: str, serial: int, data: bytes = b"", server: str = "a", run: str = "r" * 8) -> Frame:
    return Frame(server, run, serial, kind, 3000, data)


def test_a_list_is_good_until_it_expires() -> None:
    now = [100.0]
    presence = Presence(lambda: now[0])
    presence.here(said("here", 1, b"3 1 2"))
    assert presence.servers() == {"a": {3: None, 1: None, 2: None}}
    now[0] += 2.9
    assert presence.has("a", 2)
    presence.here(said("here", 2, b"3"))
    now[0] += 2.9
    assert (presence.has("a", 3), presence.has("a", 2)) == (True, False)
    now[0] += 0.2
    assert (presence.servers(), presence.has("a", 3)) == ({}, False)


def test_what_is_older_changes_nothing() -> None:
    presence = Presence()
    presence.here(said("here", 5, b"1 2"))
    presence.here(said("here", 4, b"1"))
    assert presence.servers() == {"a": {1: None, 2: None}}
    presence.here(said("here", 1, b"7", run="another"))  # it was started again
    assert presence.servers() == {"a": {7: None}}
    presence.gone(said("gone", 6))  # of the life before
    assert presence.servers() == {"a": {7: None}}
    presence.gone(said("gone", 2, run="another"))
    presence.gone(said("gone", 3, run="another"))
    assert presence.servers() == {}
