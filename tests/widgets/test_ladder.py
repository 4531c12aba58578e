"""Who sent what to whom, in rows and in words."""

import socket
import xml.etree.ElementTree as ElementTree
from collections.abc import Callable

from sockkit.sync import Server
from sockkit.widgets import MessageLadder
from sockkit.widgets.ladder import LANES, ROWS

from ..waiting import until

Dial = Callable[[], socket.socket]
SVG = "{http://www.w3.org/2000/svg}"


def texts(svg: str) -> list[str]:
    return [node.text or "" for node in ElementTree.fromstring(svg).iter(f"{SVG}text")]


def say(server: Server, peer: socket.socket, word: str) -> None:
    peer.sendall(word.encode() + b"\n")
    assert peer.recv(1000) == word.upper().encode() + b"\n"


def test_nothing_yet(server: Server) -> None:
    with MessageLadder(server) as ladder:
        assert ladder.to_text() == "nothing happened yet"
        assert texts(ladder.to_svg()) == ["server"]


def test_a_conversation_in_words(server: Server, dial: Dial) -> None:
    with MessageLadder(server) as ladder:
        peer = dial()
        say(server, peer, "hello")
        server.disconnect(1)
        until(lambda: "gone" in ladder.to_text())
        assert ladder.to_text().splitlines() == [
            "client 1 connected",
            "client 1 → server: hello",
            "server → client 1: HELLO",
            "client 1 gone: kicked",
        ]


def test_a_conversation_as_a_picture(server: Server, dial: Dial) -> None:
    with MessageLadder(server) as ladder:
        say(server, dial(), "hello")
        until(lambda: "HELLO" in ladder.to_text())
        assert texts(ladder.to_svg()) == ["server", "client 1", "connected", "hello", "HELLO"]


def test_the_picture_is_the_same_in_each_run_unless_times_are_asked_for(
    server: Server, dial: Dial
) -> None:
    with MessageLadder(server) as ladder:
        dial()
        until(lambda: "connected" in ladder.to_text())
        assert ":" not in "".join(texts(ladder.to_svg()))
        assert ":" in "".join(texts(ladder.to_svg(times=True)))
        assert ":" in ladder.to_text(times=True)


def test_its_picture_stands_still_and_has_a_text_where_no_svg_is_shown(
    server: Server, dial: Dial
) -> None:
    with MessageLadder(server) as ladder:
        twins, picture = ladder.twins(), ladder.picture()
        dial()
        until(lambda: "connected" in ladder.to_text())
        assert picture._repr_mimebundle_(include=None) == twins != ladder.twins()
        assert repr(picture) == twins["text/plain"]


def test_one_connection_only(server: Server, dial: Dial) -> None:
    with MessageLadder(server, client=2) as ladder:
        first, second = dial(), dial()
        say(server, first, "not this")
        say(server, second, "but this")
        until(lambda: "BUT THIS" in ladder.to_text())
        assert "client 1" not in ladder.to_text()
        assert "not this" not in ladder.to_text()


def test_start_and_stop_are_the_servers(server: Server) -> None:
    with MessageLadder(server) as ladder:
        server.stop()
        server.start()
        assert ladder.to_text().splitlines() == ["server stopped", "server started"]


def test_rows_and_lanes_are_bounded_and_the_rest_is_counted(server: Server, dial: Dial) -> None:
    with MessageLadder(server) as ladder:
        peers = [dial() for _ in range(LANES + 3)]
        for peer in peers:
            for _ in range(10):
                say(server, peer, "hello")
        until(lambda: ladder.version()[0] == 21 * len(peers))  # type: ignore[index]
        assert len(ladder.to_text().splitlines()) == ROWS
        heads = [text for text in texts(ladder.to_svg()) if text.startswith("client")]
        assert len(heads) <= LANES
        assert f"{21 * len(peers) - ROWS} older ones left out" in ladder.caption()


def test_clear_begins_anew(server: Server, dial: Dial) -> None:
    with MessageLadder(server) as ladder:
        dial()
        until(lambda: "connected" in ladder.to_text())
        ladder.clear()
        assert ladder.to_text() == "nothing happened yet"


def test_details_of_a_message(server: Server, dial: Dial) -> None:
    with MessageLadder(server) as ladder:
        say(server, dial(), "x" * 500)
        until(lambda: "XXX" in ladder.to_text())
        details = [dict(pairs) for pairs in ladder.scene().details.values()]
        assert [pairs.get("length") for pairs in details] == [None, "500", "500"]
        assert {pairs["told by thread"] for pairs in details} == {"sockkit-server"}


def test_the_page_gets_nothing_while_nothing_happens(server: Server, dial: Dial) -> None:
    with MessageLadder(server) as ladder:
        widget = ladder.make()
        sent: list[object] = []
        widget.observe(sent.append, "state")
        ladder.flush()
        assert sent == []
        dial()
        until(lambda: "connected" in ladder.to_text())
        ladder.flush()
        assert len(sent) == 1
