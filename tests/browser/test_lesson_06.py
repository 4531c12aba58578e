"""Lesson 06 in a real JupyterLab: run it, then press by hand what a learner is told to press."""

from collections.abc import Callable

import pytest
from playwright.sync_api import expect

from tools.notebooks import LESSONS, read, write
from tools.stubs import solved

from .notebook import Notebook

Open = Callable[..., Notebook]

NOTEBOOK = "06_roster_and_panel.ipynb"
LONG = 120_000  # milliseconds for all cells, on a busy machine

# Marks the cells that the steps below are about.
NOISY, OWN, KIT = "def tell(", "mine = my_panel(", "panel = opened.enter_context(ServerPanel"
BUTTON, SLEEP, AWAIT, LAST = "presses = []", "time.sleep(2)", "asyncio.sleep(2)", "close_all()"


@pytest.fixture(scope="module")
def book(open_for_all: Open, tmp_path_factory: pytest.TempPathFactory) -> Notebook:
    """The lesson with its exercises solved, after "Run all"; each test runs its cells once more."""
    # Not the stored key: its cells have counts already, and would seem to have run.
    path = tmp_path_factory.mktemp("solved") / NOTEBOOK
    write(solved(read(LESSONS / NOTEBOOK)), path)
    book = open_for_all(source=path)
    book.run_all(timeout=LONG)
    assert book.errors() == []
    return book


def test_a_print_of_the_server_stands_under_the_cell_that_started_it(book: Notebook) -> None:
    assert "a client says hello" in book.shown(NOISY)


def test_the_panel_that_the_learner_has_built(book: Notebook) -> None:
    book.run_cell(OWN)
    mine = book.outputs().locator(".widget-vbox:not(.sockkit-panel)")
    mine = mine.filter(has=book.page.get_by_role("button", name="Broadcast", exact=True))
    somebody = book.panel("Somebody")
    book.click("Connect", somebody)
    expect(mine).to_contain_text("clients: [1]")
    received = mine.get_by_role("textbox", name="Received", exact=True)
    for word in ("hello", "again"):
        book.fill("Message", word, somebody)
        book.click("Send", somebody)
        expect(received).to_have_value(f"1: {word}" if word == "hello" else "1: hello\n1: again")
    for button in ("Send", "Broadcast"):
        for number in (1, 2):
            book.fill("Message", f"{button} {number}", mine)
            book.click(button, mine)
            said = book.log("What was said", somebody)
            expect(said).to_contain_text(f"received: {button} {number}")
    client = mine.get_by_role("spinbutton", name="Client", exact=True)
    for number in (9, 8):
        client.fill(str(number))
        client.blur()
        book.click("Send", mine)
        expect(mine).to_contain_text(f"no client with number {number}")
    book.click("Disconnect", somebody)
    expect(mine).to_contain_text("clients: []")
    assert book.errors() == []


def test_in_the_hasty_panel_nobody_sees_the_error(book: Notebook) -> None:
    book.run_code("solved_panel, my_panel = my_panel, lambda server: None")
    book.run_cell(OWN)
    mine = book.outputs().locator(".widget-vbox:not(.sockkit-panel)")
    mine = mine.filter(has=book.page.get_by_role("button", name="Broadcast", exact=True))
    mine.get_by_role("spinbutton", name="Client", exact=True).fill("9")
    before = mine.inner_text()
    for _ in range(2):
        book.click("Send", mine)
    book.click("Connect", book.panel("Somebody"))
    expect(mine).to_contain_text("clients: [1]")  # later clicks have been served
    assert mine.inner_text().replace("clients: [1]", "clients: []") == before
    book.run_code("my_panel = solved_panel")
    assert book.errors() == []


def test_both_windows_of_the_article(book: Notebook) -> None:
    book.run_cell(KIT)
    server, ada = book.panel("Server"), book.panel("Client")
    book.page.set_viewport_size({"width": 1280, "height": 2400})
    for number in (2, 3):
        row = server.locator(f'tr[data-number="{number}"]')
        book.click("Connect", ada)
        expect(row.locator("td").last).to_have_text("connected")
        book.fill("Message", f"hello {number}", ada)
        book.click("Send", ada)
        expect(book.log("What was said", ada)).to_contain_text(f"received: HELLO {number}")
        row.click()
        book.fill("Message", f"only you {number}", server)
        book.click("Send to selected", server)
        expect(book.log("What was said", ada)).to_contain_text(f"received: only you {number}")
        book.click("Disconnect selected", server)
        expect(row.locator("td").last).to_have_text("kicked")
    status = server.locator(".sk-status-text")
    for _ in range(2):
        book.click("Stop", server)
        expect(status).to_have_text("stopped")
        book.click("Start", server)
        expect(status).to_contain_text("listening on")
    book.run_cell(LAST)
    expect(book.page.locator(".sockkit-panel")).to_have_count(0)
    assert book.errors() == []


def test_a_cell_that_awaits_sees_the_presses(book: Notebook) -> None:
    book.run_cell(BUTTON)
    for _ in range(2):
        book.run_cell(AWAIT, wait=False)
        book.page.wait_for_function("() => lesson.running()")
        book.click("Press me")
        book.page.wait_for_function(
            "text => lesson.kernel().status === 'idle' && !lesson.running() "
            "&& lesson.code().find((c) => c.sharedModel.source.includes(text)).outputs.length",
            arg=AWAIT,
        )
        if book.answers_while_busy():  # an older kernel serves clicks between cells alone
            assert "Thread" in book.shown(AWAIT)
    book.run_cell(SLEEP)
    assert "while the cell slept" in book.shown(SLEEP)
    assert book.errors() == []
