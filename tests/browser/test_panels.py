"""The two windows in a real page: every button, every way to leave, and the list that tells."""

import os
import sys
from collections.abc import Callable

import pytest
from playwright.sync_api import Locator, Page, expect

from .notebook import Notebook

Run = Callable[..., Notebook]

SERVER = """
from sockkit.widgets import ServerPanel, ClientPanel
server = ServerPanel(title="Server")
server
"""
STARTED = """
from sockkit.widgets import ServerPanel, ClientPanel
from IPython.display import display
server = ServerPanel(title="Server")
server.press("Start")
ada = ClientPanel(server.server.address, name="Ada", title="First")
bob = ClientPanel(server.server.address, name="Bob", title="Second")
display(server, ada, bob)
"""
RESET = """
import socket, struct
rude = socket.create_connection(server.server.address)
rude.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
"""


def table_row(server: Locator, number: int) -> Locator:
    """A client's row of the table."""
    return server.locator(f'tr[data-number="{number}"]')


def expect_state(server: Locator, number: int, state: str) -> None:
    expect(table_row(server, number).locator("td").last).to_have_text(state)


def log(panel: Locator, name: str) -> Locator:
    return panel.get_by_role("log", name=name)


def test_the_kernel_is_the_one_that_was_asked_for(notebook: Run) -> None:
    book = notebook("import sys")
    assert book.ask("sys.executable") == os.environ.get("SOCKKIT_KERNEL", sys.executable)


def test_start_and_stop_again_and_again(notebook: Run) -> None:
    book = notebook(SERVER)
    server = book.panel("Server")
    for _ in range(3):
        book.click("Start", server)
        expect(server.locator(".sk-status-text")).to_contain_text("listening on 127.0.0.1:")
        book.click("Stop", server)
        expect(server.locator(".sk-status-text")).to_have_text("stopped")
    expect(log(server, "Log").get_by_text("stopped")).to_have_count(3)


def test_the_whole_conversation(notebook: Run) -> None:
    book = notebook(STARTED, RESET)
    server, ada, bob = book.panel("Server"), book.panel("First"), book.panel("Second")
    expect_state(server, 1, "connected")  # the one that will reset
    for panel, number, name in ((ada, 2, "Ada"), (bob, 3, "Bob")):
        book.click("Connect", panel)
        expect(table_row(server, number)).to_contain_text(name)

    for word in ("hello", "again"):  # every stateful button more than once
        book.fill("Message", word, ada)
        book.click("Send", ada)
        expect(log(ada, "What was said")).to_contain_text(f"received: {word.upper()}")
    expect(log(server, "Received")).to_contain_text("client 2: again")
    expect(log(bob, "What was said")).not_to_contain_text("HELLO")

    for word in ("only for you", "and this"):
        book.fill("Message", word, server)
        if table_row(server, 2).get_attribute("aria-selected") == "false":
            table_row(server, 2).click()
        book.click("Send to selected", server)
        expect(log(ada, "What was said")).to_contain_text(f"received: {word}")
    expect(log(bob, "What was said")).not_to_contain_text("only for you")

    for word in ("to all of you", "once more"):
        book.fill("Message", word, server)
        book.click("Broadcast", server)
        for panel in (ada, bob):
            expect(log(panel, "What was said")).to_contain_text(f"received: {word}")

    book.click("Disconnect", ada)
    expect_state(server, 2, "closed")
    expect(ada.locator(".sk-status-text")).to_have_text("disconnected")
    table_row(server, 3).click()
    book.click("Disconnect selected", server)
    expect_state(server, 3, "kicked")
    expect(bob.locator(".sk-status-text")).to_contain_text("the server ended the connection")
    book.run_code("rude.close()")
    expect_state(server, 1, "reset")
    expect(log(server, "Log")).to_contain_text("client 1 is gone: reset")
    expect(server.locator(".sk-status-text")).to_contain_text("0 clients")

    book.click("Connect", ada)  # back again, under a new number
    expect_state(server, 4, "connected")
    book.click("Stop", server)
    expect_state(server, 4, "server stopped")
    expect(ada.locator(".sk-status-text")).to_contain_text("the server ended the connection")
    book.click("Start", server)
    expect(server.locator(".sk-status-text")).to_contain_text("listening")
    for _ in range(2):
        book.click("Clear", server)
        expect(server.locator("tbody tr")).to_have_count(0)
        expect(server.get_by_role("log").locator("li")).to_have_count(0)


BUSY = {
    "while a cell sleeps": "import time\nfor _ in range(600): time.sleep(0.1)",
    "while a cell awaits": "import asyncio\nawait asyncio.sleep(60)",
}


@pytest.mark.parametrize("cell", BUSY.values(), ids=BUSY.keys())
def test_it_works(cell: str, open_notebook: Callable[..., Notebook]) -> None:
    book = open_notebook([STARTED, cell])
    book.run_all(wait=False)
    server, ada = book.panel("Server"), book.panel("First")
    expect(ada).to_be_visible()
    if not book.answers_while_busy():
        return the_panel_says_why_it_waits(book)
    for _ in range(2):
        book.click("Connect", ada)
        expect(ada.locator(".sk-status-text")).to_have_text("connected")
        book.fill("Message", "hello", ada)
        book.click("Send", ada)
        book.click("Send", ada)
        expect(log(ada, "What was said").get_by_text("received: HELLO")).to_have_count(2)
        server.locator("tbody tr").last.click()
        book.fill("Message", "from the server", server)
        book.click("Send to selected", server)
        expect(log(ada, "What was said")).to_contain_text("received: from the server")
        book.click("Clear", ada)
        book.click("Disconnect", ada)
        expect(ada.locator(".sk-status-text")).to_have_text("disconnected")
    for _ in range(2):
        book.click("Stop", server)
        expect(server.locator(".sk-status-text")).to_have_text("stopped")
        book.click("Start", server)
        expect(server.locator(".sk-status-text")).to_contain_text("listening")
    assert book.busy(), "the cell must still run, or this test shows nothing"
    book.interrupt()


def test_a_click_that_comes_before_the_subshell_is_explained_and_kept(
    open_notebook: Callable[..., Notebook],
) -> None:
    book = open_notebook([STARTED, BUSY["while a cell sleeps"]])
    book.page.evaluate("() => lesson.withoutSubshell()")
    book.run_all(wait=False)
    the_panel_says_why_it_waits(book)


def the_panel_says_why_it_waits(book: Notebook) -> None:
    """No subshell: the click is explained while it waits, and done when the cell has ended."""
    ada = book.panel("First")
    ada.get_by_role("textbox", name="Name").fill("")
    book.click("Connect", ada)
    expect(ada.locator(".sk-busy")).to_contain_text("The kernel is running a cell")
    assert book.busy()
    book.interrupt()
    # A cell that awaits hears of it when the loop next wakes, and any message wakes it.
    book.page.evaluate("() => lesson.kernel().requestKernelInfo()")
    expect(ada.locator(".sk-status-text")).to_have_text("connected")
    expect(ada.locator(".sk-busy")).to_be_hidden()
    book.fill("Message", "typed in a hurry", ada)
    book.click("Send", ada)
    expect(log(ada, "What was said")).to_contain_text("received: TYPED IN A HURRY")


def test_enter_sends_and_selects_the_text(notebook: Run, page: Page) -> None:
    book = notebook(STARTED)
    ada = book.panel("First")
    book.click("Connect", ada)
    expect(ada.locator(".sk-status-text")).to_have_text("connected")
    field = ada.get_by_role("textbox", name="Message", exact=True)
    field.focus()
    for word in ("one", "two"):
        page.keyboard.type(word)  # replaces what was sent before
        page.keyboard.press("Enter")
        expect(log(ada, "What was said")).to_contain_text(f"received: {word.upper()}")


def test_an_error_is_shown_in_the_panel(notebook: Run) -> None:
    book = notebook(STARTED)
    ada = book.panel("First")
    port = ada.get_by_role("spinbutton", name="Port")
    for typed, told in (("1", "cannot connect to 127.0.0.1:1"), ("70000", "65535, not 70000")):
        port.fill(typed)
        for _ in range(2):
            book.click("Connect", ada)
            expect(ada.get_by_role("alert")).to_contain_text(told)
        expect(port).to_have_value(typed)
    assert book.errors() == []


def test_a_page_that_is_loaded_again_shows_the_present_state(notebook: Run) -> None:
    book = notebook(STARTED)
    server, ada, bob = book.panel("Server"), book.panel("First"), book.panel("Second")
    book.click("Connect", ada)
    expect_state(server, 1, "connected")
    book.save()
    book.click("Connect", bob)
    book.fill("Message", "after the save", bob)
    book.click("Send", bob)
    expect(log(server, "Received")).to_contain_text("client 2: after the save")
    book.click("Disconnect", ada)
    expect_state(server, 1, "closed")
    book.reload()
    expect_state(server, 1, "closed")
    expect_state(server, 2, "connected")
    expect(log(server, "Received")).to_contain_text("client 2: after the save")
    expect(bob.locator(".sk-status-text")).to_have_text("connected")
    book.click("Disconnect", bob)
    expect_state(server, 2, "closed")


def test_no_button_moves_under_the_pointer_when_somebody_joins_or_leaves(notebook: Run) -> None:
    book = notebook(STARTED, "from sockkit import Client")
    server, ada = book.panel("Server"), book.panel("First")
    buttons = [
        panel.get_by_role("button", name=name, exact=True)
        for panel, name in ((server, "Broadcast"), (ada, "Connect"))
    ]
    before = [button.bounding_box() for button in buttons]
    book.run_code("crowd = [Client(server.server.address).connect() for _ in range(12)]")
    expect_state(server, 3, "connected")
    assert [button.bounding_box() for button in buttons] == before
    book.run_code("for client in crowd: client.close()")
    expect_state(server, 3, "closed")
    assert [button.bounding_box() for button in buttons] == before


def test_a_closed_panel_is_gone_from_the_page(notebook: Run) -> None:
    book = notebook(STARTED)
    expect(book.panel("Server")).to_have_count(1)
    book.run_code("server.close(); ada.close(); bob.close()")
    expect(book.page.locator(".sockkit-panel")).to_have_count(0)


def test_pause_holds_the_table_and_shows_it_all_after(notebook: Run) -> None:
    book = notebook(STARTED)
    server, ada = book.panel("Server"), book.panel("First")
    pause = server.get_by_role("button", name="Pause this table")
    pause.click()
    book.click("Connect", ada)
    expect(server.locator(".sk-status-text")).to_contain_text("1 client")
    expect(server.locator("tbody tr")).to_have_count(0)
    pause.click()
    expect(server.locator("tbody tr")).to_have_count(1)
