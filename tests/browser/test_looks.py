"""What a reader sees where something is unusual.

A long line, an error, a narrow page, colours of the system, a kernel that was started anew.
"""

from collections.abc import Callable

import pytest
from playwright.sync_api import Locator, Page, expect

from .notebook import Notebook
from .test_panels import STARTED
from .test_views import TALK, VIEWS, details, ladder_of

pytestmark = pytest.mark.usefixtures("own_page")

Run = Callable[..., Notebook]
TALKING = f"{STARTED}\nada.press('Connect')\nada.fill(Message='long ' * 60)\nada.press('Send')"


def text_lines(place: Locator) -> int:
    """Over how many lines the text in there goes."""
    return int(
        place.evaluate("""node => {
      const text = document.createRange();
      text.selectNodeContents(node);
      return text.getClientRects().length;
    }""")
    )


def background(place: Locator) -> str:
    return str(place.evaluate("node => getComputedStyle(node).backgroundColor"))


def test_a_panel_says_that_its_kernel_is_gone(notebook: Run, page: Page) -> None:
    server = notebook(STARTED).panel("Server")
    lost = server.get_by_text("kernel that this panel belonged to is gone: run the cell again")
    expect(server.locator(".sk-status-text")).to_contain_text("listening")
    expect(lost).to_be_hidden()
    page.evaluate("() => lesson.panel().sessionContext.restartKernel()")
    expect(lost).to_be_visible()
    expect(server.locator(".sk-status-text")).to_be_hidden()
    page.clock.install()  # the panel would now say, after a second, that a cell is running
    server.get_by_role("button", name="Stop", exact=True).press("Enter")
    page.clock.run_for(5_000)
    expect(server.locator(".sk-busy")).to_be_hidden()


def test_the_time_before_a_long_line_stays_whole(notebook: Run) -> None:
    ada = notebook(TALKING).panel("First")
    long = ada.locator("li").filter(has_text="sent: long long")
    assert text_lines(long.locator("span")) > 1
    assert text_lines(long.locator("time")) == 1


def test_what_is_below_an_error_does_not_move(notebook: Run) -> None:
    book = notebook(STARTED)
    bob = book.panel("Second")
    connect = bob.get_by_role("button", name="Connect", exact=True)
    before = connect.bounding_box()
    bob.get_by_role("spinbutton", name="Port").fill("0")
    connect.click()
    expect(bob.get_by_role("alert").filter(has_text="type the server's port first")).to_be_visible()
    assert connect.bounding_box() == before


def test_who_is_gone_is_seen_on_a_narrow_page(notebook: Run, page: Page) -> None:
    page.set_viewport_size({"width": 800, "height": 900})
    book = notebook(TALKING)
    page.evaluate("() => jupyterapp.shell.collapseLeft()")
    rows = book.panel("Server").locator(".sk-rows")
    expect(rows.locator("tbody tr")).to_have_count(1)
    page.wait_for_function(
        "() => { const box = document.querySelector('.sockkit-panel .sk-rows');"
        " return box.scrollWidth <= box.clientWidth; }"
    )


def test_details_are_as_wide_as_their_view(notebook: Run) -> None:
    book = notebook(VIEWS, TALK)
    ladder = ladder_of(book)
    ladder.locator("polygon").first.click()
    expect(details(ladder)).to_be_visible()
    assert book.page.evaluate("() => lesson.flaws()") == []


def test_what_is_selected_is_seen_in_the_colours_of_the_system(notebook: Run, page: Page) -> None:
    page.emulate_media(forced_colors="active")
    server = notebook(TALKING).panel("Server")
    cell = server.locator("tbody td").first
    before = background(cell)
    cell.click()
    expect(server.locator('[aria-selected="true"]')).to_have_count(1)
    assert background(cell) != before
    lamp = server.locator(".sk-lamp")
    assert background(lamp) != background(server.locator(".sk-status-text"))
