"""A framing of yours may be wrong: its sender or the log is told, and at most one client hurt."""

from collections.abc import Callable
from typing import Any

import pytest

from sockkit import Client, Connection, ConnectionLost, Limits, Lines, ProtocolError, Reason, Server
from sockkit.backplane import MemoryBackplane, MemoryHub
from sockkit.framing import Decoder

from ..waiting import until
from .peers import Notes, dial, echo, read_to_end, slow_echo


class Wrong:
    """Lines, but for what is said to be wrong with it."""

    def __init__(self, written: object = None, feed: Callable[[bytes], Any] | None = None) -> None:
        self.written = written
        self._feed = feed

    def encode(self, message: str) -> Any:
        return self.written if message == "wrong" else Lines().encode(message)

    def decoder(self) -> Decoder:
        decoder: Any = Lines().decoder()
        return decoder if self._feed is None else WrongDecoder(self._feed)


class WrongDecoder:
    def __init__(self, feed: Callable[[bytes], Any]) -> None:
        self.feed = feed


NO_BYTES = [None, "text", 5, [b"bytes"]]


@pytest.mark.parametrize("written", NO_BYTES, ids=repr)
def test_what_is_written_as_no_bytes_is_an_error_of_the_send_and_others_get_theirs(
    written: object,
) -> None:
    raised: list[str] = []

    def to_all(connection: Connection, text: str) -> None:
        for each in server.clients.values():
            try:
                each.send("wrong" if each.number == 1 else text)
            except TypeError as error:
                raised.append(str(error))

    server = Server(to_all, framing=Wrong(written))
    with server, dial(server.address) as first, dial(server.address) as second:
        server.wait_for_clients(2)
        with dial(server.address) as third:
            third.sendall(b"hello\n")
            assert second.recv(100) == third.recv(100) == b"hello\n"
        text = f"Wrong.encode must return bytes; this is {type(written).__name__}"
        assert raised == [text]
        for send in (
            lambda: server.broadcast("wrong"),
            lambda: server.send(1, "wrong"),
            lambda: server.clients[1].send("wrong"),
        ):
            with pytest.raises(TypeError, match=text):
                send()
        server.broadcast("to all")
        for raw in (first, second):
            assert raw.recv(100) == b"to all\n"


@pytest.mark.parametrize("written", NO_BYTES, ids=repr)
def test_a_client_is_told_as_well(written: object) -> None:
    with Server(echo) as server, Client(server.address, framing=Wrong(written)) as client:
        with pytest.raises(TypeError, match="must return bytes"):
            client.send("wrong")
        client.send("right")
        assert client.recv() == "right"


@pytest.mark.parametrize("kind", [bytearray, memoryview])
def test_other_kinds_of_bytes_will_do(kind: Callable[[bytes], object]) -> None:
    with Server(framing=Wrong(kind(b"as good\n"))) as server, Client(server.address) as client:
        server.wait_for_clients(1)
        server.broadcast("wrong")
        assert client.recv() == "as good"


def test_over_a_backplane_it_stays_with_its_sender() -> None:
    hub = MemoryHub()
    a = Server(framing=Wrong("text"), backplane=MemoryBackplane(hub, server="a"))
    b = Server(framing=Wrong("text"), backplane=MemoryBackplane(hub, server="b"))
    with a, b, Client(b.address) as client:
        assert b.backplane is not None
        assert a.backplane is not None
        until(lambda: a.backplane.clients == ("1@b",))
        for send in (lambda: a.broadcast("wrong"), lambda: a.backplane.send("1@b", "wrong")):
            with pytest.raises(TypeError, match="must return bytes"):
                send()
        a.backplane.send("1@b", "right")
        assert client.recv() == "right"


def fails(data: bytes) -> list[str]:
    return [str(len(data) / 0)]


def yields(data: bytes) -> Any:
    yield "a generator is no list"


def returns_nothing(data: bytes) -> None: ...


def returns_one_message(data: bytes) -> str:
    return "each letter would be a message"


@pytest.mark.parametrize("feed", [fails, yields, returns_nothing, returns_one_message])
def test_a_decoder_that_fails_ends_its_client_alone(
    feed: Callable[[bytes], Any], log: pytest.LogCaptureFixture
) -> None:
    notes = Notes()
    with (
        Server(framing=Wrong(feed=feed), receive_buffer=10, **notes.callbacks) as server,
        dial(server.address) as neighbour,
    ):
        server.wait_for_clients(1)
        with dial(server.address) as raw:
            raw.sendall(b"more than one receive takes\n")
            assert read_to_end(raw) == b""
        until(lambda: notes.ends)
        assert list(server.clients) == [1]
        server.send(1, "still here")
        assert neighbour.recv(100) == b"still here\n"
        assert notes.ends == [Reason.PROTOCOL_ERROR]
    [told] = [record for record in log.records if record.levelname == "ERROR"]
    assert told.getMessage() == "WrongDecoder.feed failed"
    assert told.exc_info is not None


class Uncounted(WrongDecoder):
    """What it holds is no number: a method, as one might write it."""

    def __init__(self) -> None:
        super().__init__(Lines().decoder().feed)

    def buffered(self) -> int:
        raise AssertionError("nobody calls it")


@pytest.mark.parametrize("callback", [echo, slow_echo])
def test_a_decoder_that_cannot_count_what_it_holds_ends_its_client_alone(
    callback: Callable[..., object], log: pytest.LogCaptureFixture
) -> None:
    framing = Wrong()
    framing.decoder = Uncounted  # type: ignore[method-assign]
    with Server(callback, framing=framing) as server, dial(server.address) as raw:
        [connection] = server.wait_for_clients(1).values()
        raw.sendall(b"hello\n")
        assert read_to_end(raw) == b""
        until(lambda: not server._server._service.open)
        assert connection.reason is Reason.PROTOCOL_ERROR
        assert not server.clients
    assert "Uncounted.feed failed" in log.text


def test_a_clients_decoder_that_fails_ends_its_connection(log: pytest.LogCaptureFixture) -> None:
    framing = Wrong(feed=fails)
    with Server(echo) as server, Client(server.address, framing=framing) as client:
        client.send("hello")
        with pytest.raises(ConnectionLost) as lost:
            client.recv()
        assert lost.value.reason is Reason.PROTOCOL_ERROR
    assert "WrongDecoder.feed failed" in log.text


@pytest.mark.parametrize("error", [AttributeError, KeyError, ProtocolError])
def test_a_full_server_turns_away_whoever_it_has_no_words_for(
    error: Callable[[str], Exception],
) -> None:
    class Speechless(Wrong):
        def encode(self, message: str) -> Any:
            raise error("no such message")

    with Server(framing=Speechless(), limits=Limits(max_clients=1)) as server:
        refused: list[Any] = []
        server.observe(refused.append)
        with dial(server.address):
            server.wait_for_clients(1)
            for _ in range(3):
                with dial(server.address) as raw:
                    assert read_to_end(raw) == b""
            until(lambda: len(server._server._service.open) == 1)
            assert [record.why for record in refused[1:]] == ["the server is full: 1 clients"] * 3
