"""The two windows without a page: what the buttons do, what is shown, and what is left behind."""

import gc
import socket
import weakref

import pytest

from sockkit.framing import LengthPrefixed
from sockkit.sync import Client, Server
from sockkit.widgets import ClientPanel, MessageLadder, ServerPanel, close_all

from ..waiting import until


def test_both_windows_of_the_article() -> None:
    with ServerPanel() as server:
        server.press("Start")
        with ClientPanel(server.server.address, name="Ada") as client:
            client.press("Connect")
            client.fill(Message="hello")
            client.press("Send")
            until(lambda: "received: HELLO" in client.to_text())
            assert server.to_text() == (
                "Server: running, 1 client\n"
                "client  name  received  sent  state\n"
                "1       Ada   2         1     connected\n"
                "client 1: /name Ada\n"
                "client 1: hello"
            )


def test_answer_one_or_all() -> None:
    with ServerPanel() as server:
        server.press("Start")
        with Client(server.server.address) as first, Client(server.server.address) as second:
            server.server.wait_for_clients(2)
            server.fill(Message="only you")
            server.select(1)
            server.press("Send to selected")
            server.fill(Message="you all")
            server.press("Broadcast")
            assert [first.recv(), first.recv(), second.recv()] == ["only you", "you all", "you all"]
            assert server.error == ""


def test_the_selected_client_is_disconnected() -> None:
    with ServerPanel() as server, ClientPanel(title="Client") as client:
        server.press("Start")
        client.fill(Host="127.0.0.1", Port=server.server.address[1])
        client.press("Connect")
        server.server.wait_for_clients(1)
        server.select(1)
        server.press("Disconnect selected")
        until(lambda: not client.connected)
        assert client.status() == "the server ended the connection: closed"
        assert "kicked" in server.table.to_text()


def test_stop_and_start_again_keeps_the_numbers_going() -> None:
    with ServerPanel() as server:
        for _ in range(3):
            server.press("Start")
            with Client(server.server.address):
                server.server.wait_for_clients(1)
                server.press("Stop")
            assert server.status() == "stopped"
        assert [row[0] for row in server.table.rows()] == ["1", "2", "3"]


@pytest.mark.parametrize("button", ["Send to selected", "Disconnect selected"])
def test_without_a_selection_it_says_what_to_do(button: str) -> None:
    with ServerPanel() as server:
        server.press("Start")
        server.press(button)
        assert "select a connected client" in server.error
        assert server.error in [line.text for line in server.log()]


@pytest.mark.parametrize("host", ["", "nowhere.invalid", "127.0.0..1"])
def test_a_host_that_is_none_is_told_and_nothing_else(host: str) -> None:
    with ServerPanel() as server, ClientPanel() as client:
        for panel, button in ((server, "Start"), (client, "Connect")):
            panel.fill(Host=host, Port=1)
            panel.press(button)
            assert (host or "type a host first") in panel.error
        assert [line.text for line in server.log()] == [server.error]


@pytest.mark.parametrize("port", [70_000, -5])
def test_a_number_that_is_no_port_is_told_and_stays_as_it_was_typed(port: int) -> None:
    with ServerPanel() as server, ClientPanel() as client:
        for panel, button in ((server, "Start"), (client, "Connect")):
            panel.fill(Port=port)
            panel.press(button)
            assert f"a port is a number from 0 to 65535, not {port}" in panel.error
            assert panel.value("Port") == port
        assert not server.server.running


def test_who_lets_others_in_is_told_so() -> None:
    with ServerPanel() as server:
        server.fill(Host="0.0.0.0")
        with pytest.warns(RuntimeWarning, match="without TLS"):
            server.press("Start")
        assert "everybody who can reach this machine can connect now" in server.log()[-1].text


def test_an_error_is_shown_until_something_works() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken, ServerPanel() as server:
        server.fill(Port=taken.getsockname()[1])
        server.press("Start")
        assert "OSError" in server.error
        assert server.error in server.to_text()
        server.fill(Port=0)
        server.press("Start")
        assert server.error == ""
        assert server.server.running


def test_nobody_listens_there() -> None:
    with socket.create_server(("127.0.0.1", 0)) as place:
        address = place.getsockname()
    with ClientPanel(address) as client:
        client.press("Connect")
        assert "cannot connect" in client.error
        assert client.status() == "not connected"


def test_connect_without_a_port_and_send_without_a_connection() -> None:
    with ClientPanel() as client:
        client.press("Connect")
        assert "type the server's port first" in client.error
        client.press("Send")
        assert "connect first" in client.error


def test_a_double_click_connects_once() -> None:
    with Server() as server, ClientPanel(server.address) as client:
        for _ in range(2):
            client.press("Connect")
        server.wait_for_clients(1)
        assert list(server.clients) == [1]
        assert [line.kind for line in client.lines()] == ["note"]


def test_connect_and_disconnect_again_and_again() -> None:
    with Server(lambda c, m: c.send(m)) as server, ClientPanel(server.address) as client:
        for _ in range(3):
            client.press("Connect")
            assert client.connected
            client.press("Disconnect")
            assert client.status() == "disconnected"
            until(lambda: not server.clients)


def test_messages_of_bytes() -> None:
    framing = LengthPrefixed()
    echo = Server(lambda c, m: c.send(m), framing=framing)
    with echo, ServerPanel(echo) as server, ClientPanel(echo.address, framing=framing) as client:
        client.press("Connect")
        client.fill(Message="héllo")
        client.press("Send")
        until(lambda: client.to_text().count("h\\xc3\\xa9llo") == 2)
        server.fill(Message="to all")
        server.press("Broadcast")
        until(lambda: "received: to all" in client.to_text())
        assert server.error == client.error == ""


def test_clear() -> None:
    with ServerPanel() as server:
        server.press("Start")
        with Client(server.server.address) as client:
            client.send("hello")
            client.recv()
        until(lambda: not server.server.clients)
        assert server.messages()
        server.press("Clear")
        assert server.messages() == []
        assert server.log() == []
        assert server.table.to_text() == "no clients"


def test_an_adopted_server_goes_on_when_the_panel_closes(server: Server) -> None:
    with ServerPanel(server) as panel:
        assert panel.status(address=False) == "running, 0 clients"
    assert server.running


def test_an_adopted_server_may_be_stopped_by_its_panel(server: Server) -> None:
    with ServerPanel(server) as panel:
        panel.press("Stop")
        assert not server.running
        panel.press("Start")
        assert server.running


def test_own_server_stops_with_the_panel() -> None:
    panel = ServerPanel()
    panel.press("Start")
    panel.close()
    panel.close()
    assert not panel.server.running


def test_an_async_server_is_refused() -> None:
    from sockkit.aio import AsyncServer

    with pytest.raises(TypeError, match="its own event loop"):
        ServerPanel(AsyncServer())


def test_a_panel_that_nobody_holds_is_garbage(server: Server) -> None:
    panel = ServerPanel(server)
    panel.make()
    gone = weakref.ref(panel)
    del panel
    gc.collect()
    assert gone() is None


def test_a_panel_on_the_page_lives_until_it_is_closed(server: Server) -> None:
    gone = weakref.ref(_display(ServerPanel(server)))
    gc.collect()
    assert gone() is not None
    close_all()
    gc.collect()
    assert gone() is None


def test_what_a_front_end_gets(server: Server) -> None:
    with ServerPanel(server) as panel, ClientPanel() as client, MessageLadder(server) as ladder:
        for view, twin in ((panel, "text/html"), (client, "text/html"), (ladder, "image/svg+xml")):
            bundle = view._repr_mimebundle_()
            assert bundle["text/plain"] == view.to_text()
            assert twin in bundle
            assert "application/vnd.jupyter.widget-view+json" in bundle


def test_a_closed_panel_still_has_its_text(server: Server) -> None:
    with ServerPanel(server) as panel:
        pass
    assert list(panel._repr_mimebundle_()) == ["text/plain", "text/html"]


def _display(panel: ServerPanel) -> ServerPanel:
    panel._repr_mimebundle_()
    return panel
