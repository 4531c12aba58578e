"""No text of a peer runs in the page: a script would set a marker, and none is set."""

from collections.abc import Callable

import pytest
from playwright.sync_api import expect

from .notebook import Notebook

pytestmark = pytest.mark.usefixtures("own_page")

HOSTILE = r"""
TEXTS = [
    "<script>window.hacked = 1</script>",
    "<img src=x onerror='window.hacked = 2'>",
    "<svg onload='window.hacked = 3'></svg>",
    "\"' autofocus onfocus='window.hacked = 4' x='",
    "<iframe srcdoc='<script>parent.hacked = 5</script>'></iframe>",
    r"$\href{javascript:window.hacked=6}{click}$",
    r"\(\href{javascript:window.hacked=7}{click}\)",
    "[click](javascript:window.hacked=8)",
    "</style></title></textarea><script>window.hacked = 9</script>",
    "\x1b]8;;javascript:window.hacked=10\x07click\x1b]8;;\x07",
    "\u202egpj.exe\u2066",
    "<b>" * 20_000,
]
from IPython.display import display, HTML
from sockkit.framing import Lines
from sockkit.lab.wire import Tap
from sockkit.sync import Client, Server
from sockkit.views import server_html
from sockkit.widgets import *

lanes, wire = ThreadLanes(), Tap(Lines())

def name_it(connection, message):
    connection.name = message
    lanes.mark(message)
    for text in TEXTS:
        connection.send(text)

server = Server(name_it, framing=wire).start()
panel, client = ServerPanel(server, title=TEXTS[1]), ClientPanel(server.address, name=TEXTS[0])
ladder, receives, states = MessageLadder(server), WireView(wire), SocketStates(server)
display(panel, client, ladder, receives, lanes, states)
"""
ATTACK = """
client.press("Connect")
clients = [Client(server.address).connect() for _ in TEXTS]
for peer, text in zip(clients, TEXTS):
    peer.send(text)
    peer.recv()
client.fill(Message=TEXTS[1])
client.press("Send")
client.note(TEXTS[2], "error")
panel.error = TEXTS[1]
"""
TWINS = """
for view in (panel, client, ladder, receives, lanes):
    for kind, twin in view.twins().items():
        display({kind: twin}, raw=True)
HTML(server_html(server))
"""


def test_nothing_hostile_runs(notebook: Callable[..., Notebook]) -> None:
    book = notebook(HOSTILE, ATTACK, TWINS)
    panel = book.outputs().locator(".sockkit-panel").first
    expect(panel.locator("tbody tr")).to_have_count(13)
    for number in range(1, 13):
        panel.get_by_role("grid").press("ArrowDown")  # details
        chosen = panel.locator('tr[aria-selected="true"]')
        expect(chosen).to_have_attribute("data-number", str(number))
    for arrow in book.page.locator(".sk-scene polygon").all()[:20]:
        arrow.dispatch_event("click", {"bubbles": True})
    made = ".jp-OutputArea :is(script, iframe, img[onerror], a[href^=javascript], mjx-container)"
    expect(book.page.locator(made)).to_have_count(0)
    book.save()
    book.reload()  # from the saved outputs, and from the kernel's state
    expect(panel.locator("tbody tr")).to_have_count(13)
    expect(book.page.locator(made)).to_have_count(0)
    assert book.page.evaluate("() => window.hacked") is None


def test_the_marker_would_be_seen(notebook: Callable[..., Notebook]) -> None:
    """The same text, shown as ipywidgets shows it, does run: so the test above can fail."""
    book = notebook(
        "import ipywidgets\nipywidgets.HTML(\"<img src=x onerror='window.hacked = 2'>\")"
    )
    book.page.wait_for_function("() => window.hacked === 2")
