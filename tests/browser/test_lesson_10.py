"""Lesson 10 in a real JupyterLab: three windows around a chat, each button more than once."""

from collections.abc import Callable

import pytest
from playwright.sync_api import Locator, expect

from tools.notebooks import LESSONS, read

from .notebook import Notebook

Open = Callable[..., Notebook]

NOTEBOOK = "10_capstone.ipynb"
WINDOWS, LAST = 'ServerPanel(server, title="Chat")', "opened.close()\nclose_all()"


@pytest.fixture
def book(open_notebook: Open) -> Notebook:
    """The lesson, run as far as the windows; the kit's own chat stands in for the learner's."""
    lesson = read(LESSONS / NOTEBOOK)
    book = open_notebook(source=LESSONS / NOTEBOOK)
    for place, cell in enumerate(lesson.cells):
        if cell.cell_type == "code":
            book.run_cell(place)
        if WINDOWS in cell.source:
            assert book.errors() == []
            assert book.shown(place).endswith("received: dinner is ready\n")
            return book
    raise AssertionError("no cell shows the windows")


def heard(book: Notebook, panel: Locator) -> Locator:
    """What was said in this window, line by line."""
    return book.log("What was said", panel).locator("li")


def say(book: Notebook, panel: Locator, text: str) -> None:
    book.fill("Message", text, panel)
    book.click("Send", panel)


def test_the_chat_in_three_windows(book: Notebook) -> None:
    chat, ada, ben = book.panel("Chat"), book.panel("Ada"), book.panel("Ben")
    book.page.set_viewport_size({"width": 1280, "height": 2400})
    expect(heard(book, ada).last).to_contain_text("dinner is ready")
    expect(heard(book, ben).last).to_contain_text("dinner is ready")

    for room in ("tea", "lobby"):  # away from Ada, and back to her
        say(book, ben, f"/room {room}")
        expect(heard(book, ada).last).to_contain_text(
            "2 Ben left" if room == "tea" else "2 Ben came"
        )
    for word in ("hello", "anybody?"):
        say(book, ben, word)
        expect(heard(book, ada).last).to_contain_text(f"2 Ben: {word}")

    for word in ("to you alone", "once more"):
        book.fill("Message", word, chat)
        row = chat.locator('tr[data-number="1"]')
        if row.get_attribute("aria-selected") == "false":
            row.click()
        book.click("Send to selected", chat)
        expect(heard(book, ada).last).to_contain_text(word)
        expect(heard(book, ben).last).not_to_contain_text(word)
    for word in ("to all", "to all again"):
        book.fill("Message", word, chat)
        book.click("Broadcast", chat)
        for window in (ada, ben):
            expect(heard(book, window).last).to_contain_text(word)

    for number in (2, 3):  # he leaves and comes again: a new number each time
        book.click("Disconnect", ben)
        expect(heard(book, ada).last).to_contain_text(f"* {number} Ben left")
        book.click("Connect", ben)
        expect(heard(book, ben).filter(has_text=f"you are {number + 1}")).to_have_count(1)
    chat.locator('tr[data-number="4"]').click()
    book.click("Disconnect selected", chat)
    expect(chat.locator('tr[data-number="4"] td').last).to_have_text("kicked")
    expect(heard(book, ada).last).to_contain_text("* 4 Ben left")

    for _ in range(2):
        book.click("Stop", chat)
        expect(chat.locator(".sk-status-text")).to_have_text("stopped")
        book.click("Start", chat)
        expect(chat.locator(".sk-status-text")).to_contain_text("listening on")
    book.run_cell(LAST)
    expect(book.page.locator(".sockkit-panel")).to_have_count(0)
    assert book.errors() == []
