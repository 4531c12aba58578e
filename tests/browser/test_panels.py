"""The two windows in a real page: every button, every way to leave, and the list that tells."""

from collections.abc import Callable

from playwright.sync_api import Locator, expect

from .notebook import Notebook

SETUP = """
from sockkit.widgets import ServerPanel, ClientPanel
server = ServerPanel(title="Server")
server
"""
CLIENTS = """
from IPython.display import display
server.press("Start")
ada = ClientPanel(server.server.address, name="Ada", title="First")
bob = ClientPanel(server.server.address, name="Bob", title="Second")
display(ada, bob)
"""


def states(panel: Locator) -> list[str]:
    """The table's last column."""
    return panel.locator("tbody td:last-child").all_text_contents()


def test_conversation(notebook: Callable[..., Notebook]) -> None:
    book = notebook(SETUP, CLIENTS)
    server, ada, bob = book.panel("Server"), book.panel("First"), book.panel("Second")
    expect(server.get_by_role("status").first).to_contain_text("listening on 127.0.0.1:")
    book.click("Connect", ada)
    expect(server.locator("tbody tr")).to_have_count(1)
    book.click("Connect", bob)
    expect(server.locator("tbody tr")).to_have_count(2)
    book.fill("Message", "hello", ada)
    book.click("Send", ada)
    expect(ada.get_by_role("log")).to_contain_text("received: HELLO")
    book.page.screenshot(path="/tmp/shot1.png")
