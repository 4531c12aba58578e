"""The README's pictures, in both themes. They are written when SOCKKIT_PICTURES names a folder.

SOCKKIT_PICTURES=docs/images python lab.py test tests/browser/test_pictures.py
"""

import os
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from .notebook import Notebook

pytestmark = pytest.mark.usefixtures("own_page")

SETUP = """
import socket
import struct
from IPython.display import display
from ipywidgets import HBox, VBox
from sockkit.framing import Lines
from sockkit.lab.wire import Tap
from sockkit.sync import Client, Server
from sockkit.widgets import *
from sockkit.widgets.server_panel import shout
lanes, wire = ThreadLanes(), Tap(Lines())
server = Server(lanes.watch(shout), framing=wire).start()
panel, ladder, receives = ServerPanel(server), MessageLadder(server), WireView(wire)
states = SocketStates(server)
clients = [ClientPanel(server.address, name=name, title=name) for name in ("Ada", "Grace")]
for client in clients:
    client.widget.layout.width = "calc(50% - 4px)"
"""
SHOW = """
panel.widget.layout.margin = "0 0 8px 0"
windows = HBox([client.widget for client in clients])
windows.layout.justify_content = "space-between"
display(VBox([panel.widget, windows]))
display(ladder, receives, lanes, states)
"""
STORY = """
def say(client, message):
    client.fill(Message=message)
    client.press("Send")
    wait(lambda: message.upper() in client.to_text())

def wait(condition):
    import time
    while not condition():
        time.sleep(0.01)

for client in clients:
    client.press("Connect")
say(clients[0], "hello")
polite = Client(server.address).connect()
polite.send("only passing by")
polite.recv()
polite.close()
rude = socket.create_connection(server.address)
server.wait_for_clients(3)
rude.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
rude.close()
say(clients[1], "good morning")
raw = socket.create_connection(server.address)
for piece in (b"three\\nin one\\nreceive\\n", b"one in th", b"ree rece", b"ives\\n", b"and\\nhal"):
    count = len(wire.receives)
    raw.sendall(piece)
    wire.wait_for(count + 1)
panel.select(2)
panel.fill(Message="only for you, Grace")
panel.press("Send to selected")
panel.fill(Message="to all of you")
panel.press("Broadcast")
wait(lambda: all("to all of you" in client.to_text() for client in clients))
lanes.mark("the cell is done")
"""
PARTS = {
    "panels": ".jp-OutputArea-output:has(.sockkit-panel)",
    "ladder": '.sockkit:has([aria-label^="Messages"])',
    "wire": '.sockkit:has([aria-label^="What each receive"])',
    "lanes": '.sockkit:has([aria-label^="Which thread"])',
    "states": '.sockkit:has([aria-label^="TCP states"])',
}


@pytest.mark.parametrize("theme", ["Light", "Dark"])
def test_pictures_of_all_there_is(
    notebook: Callable[..., Notebook], page: Page, tmp_path: Path, theme: str
) -> None:
    folder = Path(os.environ.get("SOCKKIT_PICTURES", tmp_path)).absolute()
    folder.mkdir(parents=True, exist_ok=True)
    page.set_viewport_size({"width": 1000, "height": 1600})
    book = notebook(SETUP, SHOW, STORY)
    book.theme(f"JupyterLab {theme}")
    page.locator(".jp-OutputArea").nth(1).scroll_into_view_if_needed()
    expect(page.locator('tr[data-number="4"] td').last).to_have_text("reset")
    page.add_style_tag(content=".sockkit .sk-scene { max-height: none; }")
    for name, selector in PARTS.items():
        part = page.locator(selector).first
        part.scroll_into_view_if_needed()
        expect(part).to_be_visible()
        picture = folder / f"{name}-{theme.lower()}.png"
        part.screenshot(path=picture, animations="disabled")
        assert picture.stat().st_size > 5_000
