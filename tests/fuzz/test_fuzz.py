"""The kit under inputs that nobody would write: those that are kept, and new ones each time.

The whole server runs on a network in memory here, for a thousand inputs a second; some go over real
sockets as well. By the million, guided by what they reach: `python -m tests.fuzz`.
"""

import socket
from collections.abc import Callable
from typing import Any
from unittest import mock

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sockkit import Client, Connection, Lines, Raw, Reason, Server, door
from sockkit.channel import Channel
from sockkit.errors import ProtocolError
from sockkit.framing import LengthDecoder, LineDecoder
from sockkit.serving import ServerChannel
from sockkit.transport import SocketTransport

from ..core.meaning import cut
from ..core.peers import dial, read_until_gone, reset
from ..faults.catalogue import size
from ..waiting import until
from . import kept, kernel
from .__main__ import MISSING, main
from .judge import admission, meaning_of
from .kept import arcs_of, smallest_cover
from .script import FRAMINGS, LIMITS, READ, SETTINGS, TOKEN, Setting, read
from .targets import TARGETS
from .world import Worlds


def play_all(name: str, inputs: list[bytes]) -> None:
    with TARGETS[name]() as target:
        play: Callable[[bytes], None] = getattr(target, "play", target)  # type: ignore[assignment]
        for data in inputs:
            play(data)


@pytest.mark.parametrize("name", TARGETS)
def test_what_is_kept_is_taken(name: str) -> None:
    play_all(name, kept.load(name))


# What was found, and mended: each of these failed once.

HELLO = bytes([0, 31]) + b"hello\n" * 5 + b"\n"
FOUND = {
    "an error, long after the last words were taken late": (
        Setting(Lines(), None, "plain"),
        [b"\x06\x01", HELLO, b"\x0c\x03", b"\x0d\x02", b"\x0e\xff", b"\x04\xa0"],
    ),
    "pieces of more than a receive, after a broken write": (
        Setting(Raw(), None, "plain"),
        [b"\x08\x3f" + b"x" * 63, b"\x00\x3f" + b"x" * 63, b"\x00\x3f" + b"x" * 63, b"\x07\x01"],
    ),
    "a writer left behind by an end in the midst of writing on": (
        Setting(Raw(), None, "waits"),
        [b"\x0b\0", b"\x05\xff", b"\x0e\x0a", b"\x05\x55", b"\x0f\x02", b"\x0e\x4a"],
    ),
    "called slow for what had waited when the peer reset": (
        Setting(Raw(), None, "paced"),
        [b"\x02x\x0a", b"\x0f\x01", *[b"\x05\x55"] * 5],
    ),
}


@pytest.fixture(params=["the kit's", "asyncio's"])
def transports(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of the kit, and as over TLS, on uvloop, or on Windows."""
    if request.param == "asyncio's":
        monkeypatch.setattr(door, "fits", lambda loop: False)


@pytest.mark.parametrize("what", FOUND)
def test_what_was_found_once_is_mended(what: str, transports: None) -> None:
    setting, steps = FOUND[what]
    number = [repr(one) for one in SETTINGS].index(repr(setting))
    play_all("server", [bytes([number]) + b"".join(steps)])


def test_what_is_kept_is_taken_in_debug_mode(asyncio_debug: None, transports: None) -> None:
    with Worlds(debug=True) as worlds:
        for data in kept.load("server")[::4]:
            worlds.play(data)


@pytest.mark.parametrize("name", ["lines", "lengths", "raw"])
def test_new_bytes_are_taken_by_every_decoder(name: str) -> None:
    with TARGETS[name]() as play:

        @given(st.binary(max_size=64))
        @settings(max_examples=size(100_000, 200), database=None)
        def take(data: bytes) -> None:
            play(data)

        take()


# Steps that mean something more often than any bytes do.
STEPS = st.one_of(
    st.builds(
        lambda kind, data: bytes([kind, len(data)]) + data,
        st.sampled_from([0, 1, 8, 9]),
        st.sampled_from([b"hello", b"raise", b"close", b"\xff", b"\n", b"\0\0\0\1a"])
        | st.binary(max_size=30),
    ),
    st.builds(
        lambda kind, argument: bytes([kind, argument]), st.integers(3, 15), st.integers(0, 255)
    ),
    st.builds(bytes, st.tuples(st.just(2), st.integers(0, 255), st.integers(0, 255))),
    st.just(bytes([3, 0])),
)
SCRIPTS = st.builds(
    lambda setting, steps: bytes([setting]) + b"".join(steps),
    st.integers(0, len(SETTINGS) - 1),
    st.lists(STEPS, max_size=12),
)


def test_new_scripts_are_taken_by_the_whole_server() -> None:
    with Worlds() as worlds:

        @given(SCRIPTS)
        @settings(max_examples=size(20_000, 150), database=None)
        def take(data: bytes) -> None:
            worlds.play(data)

        take()


# The same over real sockets: the kernel's own pieces, its own FIN and RST.

PAYLOADS = st.lists(
    st.sampled_from([b"hello\n", b"\xff\n", b"x" * 30, b"\0\0\0\2hi", b"\0\0\1\0", b"\n"])
    | st.binary(max_size=12),
    max_size=8,
).map(b"".join)


@pytest.mark.parametrize("token", [None, TOKEN])
@pytest.mark.parametrize("framing", FRAMINGS, ids=repr)
def test_real_sockets_mean_the_same(
    framing: Any, token: str | None, asyncio_debug: None, no_errors_logged: None, nothing_left: None
) -> None:
    messages, ends = list[Any](), list[Reason]()

    def on_message(connection: Connection, message: Any) -> None:
        if connection.number > 1:
            messages.append(message)
        else:
            connection.send(message)

    server = Server(
        on_message,
        on_disconnect=lambda _, reason: ends.append(reason),
        framing=framing,
        limits=LIMITS,
        token=token,
        receive_buffer=READ,
    )
    ping = "ping" if isinstance(framing, Lines) else b"ping"
    with server, Client(server.address, framing=framing, token=token, timeout=20) as neighbour:
        server.wait_for_clients(1)

        def came() -> Any:
            return b"".join(messages) if isinstance(framing, Raw) else messages

        @given(
            st.booleans() if token else st.just(True),
            PAYLOADS,
            st.lists(st.integers(0, 99), max_size=4),
            st.booleans(),
        )
        @settings(max_examples=size(500, 10), database=None)
        def take(knows: bool, payload: bytes, places: list[int], resets: bool) -> None:
            messages.clear()
            ends.clear()
            said = (token.encode() + b"\n" if token and knows else b"") + payload
            admitted, payload = admission(token, said)
            expected = meaning_of(framing, payload)
            meant = payload if isinstance(framing, Raw) else expected.messages
            with dial(server.address) as raw:
                send(raw, cut(said, places))
                if resets and admitted:  # not before all has come: a reset may overtake it
                    until(lambda: ends if expected.fault else came() == meant)
                    until(lambda: ends or server.clients.keys() > {1})
                (reset if resets else finish)(raw)
            until(lambda: ends or not admitted)
            if admitted:
                other = Reason.RESET if resets else Reason.CLOSED
                assert came() == meant
                assert ends == [Reason.PROTOCOL_ERROR if expected.fault else other]
            else:
                assert (messages, ends) == ([], [])
            neighbour.send(ping)
            assert neighbour.recv() == ping

        take()


def send(raw: socket.socket, pieces: list[bytes]) -> None:
    try:
        for piece in pieces:
            raw.sendall(piece)
    except ConnectionError:
        pass  # it was shown the door already


def finish(raw: socket.socket) -> None:
    try:
        raw.shutdown(socket.SHUT_WR)
    except OSError:
        return
    read_until_gone(raw)


# That all of this can fail: each of these faults is found by what is kept.


def forget_the_begun(decoder: LineDecoder, data: bytes) -> list[str]:
    lines = FEED_LINES(decoder, data)
    decoder._buffer.clear()
    return lines


def no_bound(decoder: LengthDecoder, data: bytes) -> list[bytes]:
    decoder._max = 1 << 32
    return FEED_LENGTHS(decoder, data)


def drop_last_words(channel: Channel, reason: Reason) -> None:
    channel.abort(reason)


def forget_the_writer(transport: SocketTransport) -> None:
    with mock.patch.object(transport._loop, "remove_writer"):
        WRITE_ON(transport)


def tell_twice(channel: ServerChannel) -> None:
    TELL(channel)
    TELL(channel)


def stay(channel: ServerChannel, fault: ProtocolError) -> None: ...


def end_the_others_too(channel: ServerChannel, fault: ProtocolError) -> None:
    for other in tuple(channel.service.open):
        other.end(Reason.PROTOCOL_ERROR)


def never_hold(channel: ServerChannel, why: int) -> None: ...


FEED_LINES, FEED_LENGTHS = LineDecoder.feed, LengthDecoder.feed
TELL, WRITE_ON = ServerChannel._tell, SocketTransport._write_on
FAULTS: dict[str, tuple[str, type, str, Callable[..., Any]]] = {
    "a begun line is forgotten": ("lines", LineDecoder, "feed", forget_the_begun),
    "a length has no bound": ("lengths", LengthDecoder, "feed", no_bound),
    "the end is told twice": ("server", ServerChannel, "_tell", tell_twice),
    "garbage goes unpunished": ("server", ServerChannel, "protocol_fault", stay),
    "garbage ends everybody": ("server", ServerChannel, "protocol_fault", end_the_others_too),
    "whose handler lags is read on": ("server", ServerChannel, "hold", never_hold),
    "last words are dropped": ("server", Channel, "end", drop_last_words),
    "a writer is left behind": ("server", SocketTransport, "_write_on", forget_the_writer),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_in_the_kit_is_found_by_what_is_kept(
    fault: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    name, kind, method, wrong = FAULTS[fault]
    monkeypatch.setattr(kind, method, wrong)
    with pytest.raises((AssertionError, AttributeError)):
        play_all(name, kept.load(name))


# The tools themselves.


@pytest.mark.parametrize(
    "age", [0.0, 1e7, 1e8, 1e9]
)  # a million inputs take some 10 million seconds
def test_a_world_may_grow_old(age: float, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kernel.Selector, "now", age)
    waits = Setting(Raw(), None, "waits")
    number = [repr(one) for one in SETTINGS].index(repr(waits))
    play_all("server", [bytes([number]) + b"\x01\x01x\x04\xff"] * 20)


def test_any_bytes_are_a_script() -> None:
    for data in (b"", b"\0", b"\x07\x00", b"\x00\x01\x40", bytes(range(256))):
        script = read(data)
        assert script.setting in SETTINGS
        assert str(script)


def test_only_what_takes_a_way_of_its_own_is_kept() -> None:
    with TARGETS["lengths"]() as play:
        inputs = [b"", b"\0\x08\0\0\0\0\1a", b"\0\x08\0\0\0\0\1b", b"\0\x08\0\xff\xff\xff\xff"]
        assert arcs_of(play, inputs[1]) == arcs_of(play, inputs[2]) != arcs_of(play, inputs[3])
        assert smallest_cover(play, inputs) == [inputs[0], inputs[3], inputs[1]]


def test_without_atheris_it_says_in_a_sentence_how_to_get_it(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    assert main(["--runs", "1"]) == 2
    assert capsys.readouterr().err == MISSING + "\n"
