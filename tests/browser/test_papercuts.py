"""What people stumble over when they mix cells and sockets, each tried in a real page."""

import socket
import time
from collections.abc import Callable

import pytest
from playwright.sync_api import expect

from ..ports import free_port
from .notebook import Notebook

Open = Callable[..., Notebook]

AT_ONCE = 15.0  # seconds, on a busy machine; the cell below would last for minutes
IMPORT = """
from IPython.display import display
from sockkit import Client, Server

def shout(connection, text):
    connection.send(text.upper())
"""


def test_the_stop_button_ends_a_cell_that_waits_for_a_message(open_notebook: Open) -> None:
    cell = "with Server() as server, Client(server.address) as client:\n    display('begun')\n"
    book = open_notebook([IMPORT, f"{cell}    client.recv(timeout=300)"])
    book.run_all(wait=False)
    expect(book.outputs().filter(has_text="begun").first).to_be_visible()
    begun = time.monotonic()
    book.interrupt()
    book.wait_until_done()
    assert time.monotonic() - begun < AT_ONCE
    assert any("Interrupt" in error for error in book.errors())
    assert book.ask("server.running") is False


def press_stop(book: Notebook) -> None:
    """Press the button of the notebook's toolbar."""
    book.page.locator('[data-jp-item-name="interrupt"]').locator("visible=true").first.click()


def test_the_stop_button_ends_a_cell_that_awaits_a_message(open_notebook: Open) -> None:
    cell = (
        "from sockkit import AsyncClient, AsyncServer\n"
        "async with AsyncServer() as server, AsyncClient(server.address) as client:\n"
        "    display('begun')\n"
        "    await client.recv(timeout=300)"
    )
    book = open_notebook([IMPORT, cell])
    book.run_all(wait=False)
    expect(book.outputs().filter(has_text="begun").first).to_be_visible()
    begun = time.monotonic()
    press_stop(book)
    book.wait_until_done()
    assert time.monotonic() - begun < AT_ONCE
    assert book.errors() == ["CancelledError: "]


def test_where_no_wait_of_ours_goes_on_the_next_cell_makes_the_stop_button_heard(
    open_notebook: Open,
) -> None:
    """As lesson 00 says: the kernel hears of the button when it next has something to do."""
    book = open_notebook(["import asyncio\nprint('begun')\nawait asyncio.sleep(300)", "'next'"])
    book.run_all(wait=False)
    expect(book.outputs().filter(has_text="begun").first).to_be_visible()
    begun = time.monotonic()
    press_stop(book)
    book.page.keyboard.press("Shift+Enter")
    book.wait_until_done()
    assert time.monotonic() - begun < AT_ONCE
    assert book.errors() == ["CancelledError: "]


def test_a_cell_that_starts_a_server_may_run_again(notebook: Open) -> None:
    book = notebook(IMPORT, "server = Server(shout).start()")
    old = book.ask("server.address[1]")
    book.run_cell("server = Server")
    assert book.errors() == []
    assert book.ask("server.address[1]") != old
    with pytest.raises(OSError, match="refused"):
        socket.create_connection(("127.0.0.1", old))
    with socket.create_connection(("127.0.0.1", book.ask("server.address[1]"))) as peer:
        peer.sendall(b"hello\n")
        assert peer.recv(100) == b"HELLO\n"
    book.run_code("server.stop()")


def test_a_port_of_an_earlier_run_is_told_with_what_to_do(notebook: Open) -> None:
    book = notebook(IMPORT, f"server = Server(shout, port={free_port()}).start()")
    book.run_cell("server = Server")
    (error,) = book.errors()
    assert "your own <Server 127.0.0.1:" in error
    assert "Call its stop() first" in error
    book.run_code("server.stop()")
    book.run_cell("server = Server")
    assert book.errors() == []
    book.run_code("server.stop()")


def test_a_server_that_is_forgotten_says_so_on_the_page(notebook: Open) -> None:
    book = notebook(IMPORT, "server = Server(shout).start()", "server = None")
    told = "forgotten, and now stopped: <Server 127.0.0.1:"
    expect(book.outputs().filter(has_text=told).first).to_be_visible()


def test_a_restarted_kernel_takes_the_same_port_again(notebook: Open) -> None:
    port = free_port()
    start = f"server = Server(shout, port={port}).start()"
    book = notebook(IMPORT, start, "client = Client(server.address).connect()")
    book.page.evaluate("() => lesson.panel().sessionContext.restartKernel()")
    book.page.wait_for_function("() => lesson.ready()")
    clear = "notebook:clear-all-cell-outputs"  # and the counts, by which we know what has run
    book.page.evaluate("name => window.jupyterapp.commands.execute(name)", clear)
    book.run_all()
    assert book.errors() == []
    assert book.ask("server.address[1]") == port
    book.run_code("client.close(); server.stop()")


def test_an_exception_in_a_callback_is_seen_on_the_page(notebook: Open) -> None:
    wrong = "def wrong(connection, text):\n    raise ValueError('my own mistake')"
    talk = "client = Client(server.address).connect()\nclient.send('hello')\nprint(list(client))"
    book = notebook(IMPORT, wrong, "server = Server(wrong).start()", talk)
    expect(book.outputs().filter(has_text="ValueError: my own mistake").first).to_be_visible()
    book.run_code("client.close(); server.stop()")
