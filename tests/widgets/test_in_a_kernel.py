"""Panels and views in a notebook without a front end: as nbclient, nbval and nbconvert run them."""

from typing import Any

import nbformat
import pytest
from nbclient import NotebookClient

pytestmark = pytest.mark.notebook

CELLS = (
    "from sockkit.widgets import *\npanel = ServerPanel()\npanel",
    "panel.press('Start')\nclient = ClientPanel(panel.server.address, name='Ada')\n"
    "ladder = MessageLadder(panel.server)\n"
    "client.press('Connect')\nclient.fill(Message='hello')\nclient.press('Send')\n"
    "while 'HELLO' not in client.to_text(): pass",
    "panel",
    "client",
    "ladder",
    "ClientTable(panel.server)",
    "close_all()\nimport threading\n[t.name for t in threading.enumerate() if 'sockkit' in t.name]",
)


def run() -> list[dict[str, Any]]:
    """What each cell shows, by MIME type."""
    book = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in CELLS])
    NotebookClient(book, timeout=60, kernel_name="python3").execute()
    return [output["data"] for cell in book.cells for output in cell.outputs]


def test_two_runs_show_the_same_and_leave_nothing() -> None:
    first, second = run(), run()
    widget = "application/vnd.jupyter.widget-view+json"
    for one, other in zip(first, second, strict=True):
        assert {k: v for k, v in one.items() if k != widget} == {
            k: v for k, v in other.items() if k != widget
        }
    assert all(widget in data for data in first[:-1])
    assert "client 1: hello" in first[1]["text/plain"]
    assert "<table" in first[1]["text/html"]
    assert "</svg>" in first[3]["image/svg+xml"]
    assert first[-1]["text/plain"] == "[]"
