"""Panels and views for everybody: names, contrast in both themes, a keyboard that reaches all."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from .notebook import Notebook
from .test_views import TALK, VIEWS

pytestmark = pytest.mark.usefixtures("own_page")

Run = Callable[..., Notebook]
PANELS = """
from sockkit.widgets import ClientPanel, ServerPanel
panel, client = ServerPanel(server), ClientPanel(server.address, name="Ada")
display(panel, client)
client.press("Connect")
client.fill(Message="hello")
client.press("Send")
panel.select(1)
panel.error = "OSError: for the contrast of an error"
server.disconnect(2)
"""


@pytest.mark.parametrize("theme", ["JupyterLab Light", "JupyterLab Dark"])
def test_axe_finds_nothing(notebook: Run, theme: str) -> None:
    book = notebook(VIEWS, TALK, PANELS)
    book.theme(theme)
    book.page.locator("polygon").first.click()  # details are open
    expect(book.page.locator(".sk-details:visible").first).to_be_visible()
    outputs = {"include": [[".sockkit"], [".sockkit-panel"]]}
    found = Axe().run(book.page, context=outputs).response
    told = [
        {"rule": violation["id"], "nodes": [node["html"][:200] for node in violation["nodes"][:3]],
         "why": violation["nodes"][0]["failureSummary"]}
        for violation in found["violations"]
    ]  # fmt: skip
    assert told == [], json.dumps(told, indent=1)
    assert len(found["passes"]) > 10, "axe looked at nothing"


def focused(page: Page) -> dict[str, Any]:
    """The element that has the focus: which it is, and whether it is one of ours."""
    return dict(
        page.evaluate("""() => {
      const node = document.activeElement;
      const mine = Boolean(node.closest('.sockkit, .sockkit-panel'));
      const name = node.getAttribute('aria-label') || node.labels?.[0]?.textContent
        || node.textContent.trim();
      return { mine, name, tag: node.tagName };
    }""")
    )


def test_the_keyboard_reaches_every_control(notebook: Run, page: Page) -> None:
    book = notebook(VIEWS, TALK, PANELS)
    expect(book.panel("Client").get_by_role("button", name="Disconnect")).to_be_enabled()
    expect(book.panel("Server").get_by_role("button", name="Stop")).to_be_enabled()
    usable = ":is(button:not([disabled]), input:not([disabled]), [tabindex])"
    controls = page.locator(f":is(.sockkit, .sockkit-panel) {usable}")
    names = controls.evaluate_all(
        "nodes => nodes.map((node) => node.getAttribute('aria-label')"
        " || node.labels?.[0]?.textContent || node.textContent.trim())"
    )
    assert all(names), names
    controls.first.focus()
    reached = []
    for _ in range(2 * len(names)):
        here = focused(page)
        if here["mine"]:
            reached.append(here["name"])
        page.keyboard.press("Tab")
    assert set(names) <= set(reached)
    assert book.errors() == []


def test_a_whole_conversation_by_keyboard(notebook: Run, page: Page) -> None:
    book = notebook(VIEWS, PANELS.replace("server.disconnect(2)", ""))
    server = book.panel("Server")
    server.get_by_role("button", name="Clear").focus()
    grid = server.get_by_role("grid")
    grid.focus()
    send = server.get_by_role("button", name="Send to selected")
    expect(send).to_be_enabled()
    page.keyboard.press("Escape")
    expect(send).to_be_disabled()
    page.keyboard.press("ArrowDown")
    expect(send).to_be_enabled()
    server.get_by_role("textbox", name="Message", exact=True).focus()
    page.keyboard.type("typed")
    page.keyboard.press("Tab")
    expect(send).to_be_focused()
    for count in (1, 2):
        page.keyboard.press("Space")
        expect(book.panel("Client").get_by_text("received: typed")).to_have_count(count)
