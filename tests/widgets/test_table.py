"""Who is here, who left and why; true whatever was dropped."""

import socket
import struct
from collections.abc import Callable

import pytest

from sockkit.events import Reason
from sockkit.sync import Server
from sockkit.views import COLUMNS, connection_html, server_html
from sockkit.widgets import ClientTable, feed

from ..waiting import until

Dial = Callable[[], socket.socket]
NUMBER, NAME, STATE = COLUMNS.index("client"), COLUMNS.index("name"), COLUMNS.index("state")


def states(table: ClientTable) -> dict[int, str]:
    return {int(row[NUMBER]): row[STATE] for row in table.rows()}


def test_nobody(server: Server) -> None:
    with ClientTable(server) as table:
        assert table.to_text() == "no clients"
        assert table.rows() == []


def test_those_who_were_there_before_the_table(server: Server, dial: Dial) -> None:
    dial()
    with ClientTable(server) as table:
        assert states(table) == {1: "connected"}


def test_every_way_to_leave_with_its_reason(server: Server, dial: Dial) -> None:
    with ClientTable(server) as table:
        polite, broken, _ = dial(), dial(), dial()
        polite.close()
        broken.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        broken.close()
        server.disconnect(3)
        until(lambda: not server.clients)
        assert states(table) == {1: Reason.CLOSED, 2: Reason.RESET, 3: Reason.KICKED}


def test_counts_of_one_who_left_stay(server: Server, dial: Dial) -> None:
    with ClientTable(server) as table:
        peer = dial()
        peer.sendall(b"hello\n")
        assert peer.recv(100) == b"HELLO\n"
        server.clients[1].name = "Ada"
        table.rows()
        peer.close()
        until(lambda: not server.clients)
        assert table.to_text().splitlines()[1].split() == ["1", "Ada", "1", "1", "closed"]


def test_one_who_came_and_left_between_two_looks(server: Server, dial: Dial) -> None:
    with ClientTable(server) as table:
        peer = dial()
        peer.sendall(b"hello\n")
        assert peer.recv(100) == b"HELLO\n"
        peer.close()
        until(lambda: not server.clients)
        assert table.to_text().splitlines()[1].split() == ["1", "1", "1", "closed"]


def test_one_who_came_into_a_crowd_and_left_between_two_looks(
    server: Server, dial: Dial, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(feed, "CROWD", 0)
    with ClientTable(server) as table:
        peer = dial()
        place = peer.getsockname()[1]
        peer.close()
        until(lambda: not server.clients)
        (row,) = table.rows()
        assert (row[NUMBER], row[2], row[STATE]) == ("1", f"127.0.0.1:{place}", "closed")


def test_forget(server: Server, dial: Dial) -> None:
    with ClientTable(server) as table:
        dial().close()
        stays = dial()
        until(lambda: len(server.clients) == 1)
        table.forget()
        assert list(states(table)) == [2]
        stays.close()


def test_text_and_html_have_no_port_or_time(server: Server, dial: Dial) -> None:
    with ClientTable(server) as table:
        port = str(dial().getsockname()[1])
        assert port not in table.to_text()
        assert port not in table.to_html()
        assert port in table.to_text(columns=COLUMNS)


def test_selection_of_one_who_leaves_is_none(server: Server, dial: Dial) -> None:
    with ClientTable(server) as table:
        peer = dial()
        table.make().selected = 1
        assert table.selected == 1
        peer.close()
        until(lambda: not server.clients)
        assert table.selected == 0


def test_a_server_and_a_connection_in_a_cell(server: Server, dial: Dial) -> None:
    dial()
    server.clients[1].name = "<Ada>"
    assert "1 client<" in server_html(server)
    assert "&lt;Ada&gt;" in server_html(server)
    assert "&lt;Ada&gt;" in connection_html(server.clients[1])
    server.stop()
    assert "is stopped: 0 clients" in server_html(server)
