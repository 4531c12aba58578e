"""The live views in a real page: what they draw, and what a click, a key and a pause do."""

import re
from collections.abc import Callable

from playwright.sync_api import Locator, Page, expect

from .notebook import Notebook

Run = Callable[..., Notebook]

VIEWS = """
import socket
from IPython.display import display
from sockkit.framing import Lines
from sockkit.lab.wire import Tap
from sockkit.sync import Client, Server
from sockkit.widgets import ClientTable, MessageLadder, SocketStates, ThreadLanes, WireView
lanes, wire = ThreadLanes(), Tap(Lines())

@lanes.watch
def shout(connection, message):
    connection.send(message.upper())

server = Server(shout, framing=wire).start()
table, ladder, states = ClientTable(server), MessageLadder(server), SocketStates(server)
receives = WireView(wire)
display(table, ladder, lanes, receives, states)
"""
TALK = """
ada = Client(server.address).connect()
ada.send("hello")
ada.recv()
raw = socket.create_connection(server.address)
raw.sendall(b"one\\ntwo\\nthr")
raw.recv(100)
"""


def view(book: Notebook, label: str) -> Locator:
    """The view whose drawing or table has this label."""
    start = book.page.locator(f'[aria-label^="{label}"]')
    return book.page.locator(".sockkit").filter(has=start)


def ladder_of(book: Notebook) -> Locator:
    """The ladder, once it shows what TALK said."""
    ladder = view(book, "Messages")
    expect(ladder.locator("text", has_text=re.compile("^TWO$"))).to_have_count(1)
    return ladder


def details(one: Locator) -> Locator:
    return one.locator(".sk-details")


def test_the_table_selects_and_shows_details(notebook: Run, page: Page) -> None:
    table = view(notebook(VIEWS, TALK), "Clients of this server")
    rows = table.locator("tbody tr")
    expect(rows).to_have_count(2)
    for _ in range(2):
        rows.first.click()
        expect(rows.first).to_have_attribute("aria-selected", "true")
        expect(details(table)).to_contain_text("127.0.0.1:")
        rows.first.click()
        expect(details(table)).to_be_hidden()
    table.get_by_role("grid").focus()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowDown")
    expect(rows.nth(1)).to_have_attribute("aria-selected", "true")
    page.keyboard.press("Home")
    expect(rows.first).to_have_attribute("aria-selected", "true")
    page.keyboard.press("Escape")
    expect(details(table)).to_be_hidden()


def test_an_arrow_of_the_ladder_shows_its_details(notebook: Run) -> None:
    ladder = ladder_of(notebook(VIEWS, TALK))
    arrow = ladder.locator("polygon").first
    for _ in range(2):
        arrow.click()
        expect(details(ladder)).to_contain_text("client 1 → server: hello")
        expect(details(ladder)).to_contain_text("sockkit-server")
        arrow.click()
        expect(details(ladder)).to_be_hidden()


def test_arrow_keys_step_through_the_ladder(notebook: Run, page: Page) -> None:
    ladder = ladder_of(notebook(VIEWS, TALK))
    ladder.get_by_role("group").focus()
    page.keyboard.press("ArrowDown")
    expect(details(ladder)).to_contain_text("client 1 connected")
    page.keyboard.press("ArrowDown")
    expect(details(ladder)).to_contain_text("client 1 → server: hello")
    page.keyboard.press("ArrowUp")
    expect(details(ladder)).to_contain_text("client 1 connected")
    page.keyboard.press("Escape")
    expect(details(ladder)).to_be_hidden()


def test_the_head_of_a_lane_brings_one_client_into_focus(notebook: Run) -> None:
    ladder = ladder_of(notebook(VIEWS, TALK))
    faint = ladder.locator("text.sk-faint", has_text=re.compile("^hello$"))
    for _ in range(2):
        ladder.locator("text", has_text="client 2").first.click()
        expect(faint).to_have_count(1)
        ladder.locator("text", has_text="client 2").first.click()
        expect(faint).to_have_count(0)


def test_zoom_and_back(notebook: Run, page: Page) -> None:
    ladder = ladder_of(notebook(VIEWS, TALK))
    picture = ladder.locator("svg")
    width = float(picture.get_attribute("width") or 0)
    for _ in range(2):
        ladder.get_by_role("button", name="Zoom in").click()
    assert float(picture.get_attribute("width") or 0) > 1.5 * width
    ladder.get_by_role("group").focus()
    page.keyboard.press("-")
    page.keyboard.press("-")
    assert float(picture.get_attribute("width") or 0) == width


def test_pause_holds_a_drawing_and_shows_it_all_after(notebook: Run) -> None:
    book = notebook(VIEWS, TALK)
    ladder = ladder_of(book)
    for word in ("first", "second"):
        ladder.get_by_role("button", name="Pause").click()
        book.run_code(f"ada.send({word!r}); ada.recv()")
        expect(view(book, "Clients").locator("tbody tr").first).to_contain_text(
            "2" if word == "first" else "3"
        )
        expect(ladder.locator("text", has_text=re.compile(f"^{word}$"))).to_have_count(0)
        ladder.get_by_role("button", name="Pause").click()
        expect(ladder.locator("text", has_text=re.compile(f"^{word}$"))).to_have_count(1)


def test_receives_show_what_is_glued_and_torn(notebook: Run) -> None:
    book = notebook(VIEWS, TALK)
    receives = view(book, "What each receive brought")
    row = receives.locator("text", has_text="2 messages glued and a part")
    expect(row).to_have_count(1)
    expect(receives.locator(".sk-torn")).to_have_count(2)  # one of them is the legend's
    row.click()
    expect(details(receives)).to_contain_text("6f 6e 65 0a")
    book.run_code("raw.sendall(b'ee\\n')")
    expect(receives.locator(".sk-torn")).to_have_count(3)


def test_states_follow_the_sockets(notebook: Run) -> None:
    book = notebook(VIEWS, TALK)
    states = view(book, "TCP states")
    here = states.locator("rect.sk-here")
    expect(here).to_have_count(2)  # LISTEN, and all ends are ESTABLISHED
    book.run_code("server.disconnect(2)")
    expect(states.locator("text", has_text=re.compile("^server 1$"))).to_have_count(1)
    expect(states.locator("text", has_text=re.compile("^client 1$"))).to_have_count(1)
    states.locator("text", has_text="ESTABLISHED").click()
    expect(details(states)).to_contain_text("server 1, client 1")


def test_lanes_of_the_threads(notebook: Run) -> None:
    book = notebook(VIEWS, TALK)
    lanes = view(book, "Which thread")
    expect(lanes.locator("text.sk-head")).to_have_text(["sockkit-server"])
    book.run_code("lanes.mark('from the cell')")
    expect(lanes.locator("text.sk-head")).to_have_text(["sockkit-server", "MainThread"])


def test_a_reader_without_eyes_gets_the_text(notebook: Run) -> None:
    ladder = ladder_of(notebook(VIEWS, TALK))
    expect(ladder.locator(".sk-reader")).to_contain_text("client 1 → server: hello")


def test_a_page_that_is_loaded_again_shows_all_views(notebook: Run) -> None:
    book = notebook(VIEWS, TALK)
    ladder_of(book)
    book.save()
    book.run_code("ada.send('later'); ada.recv()")
    book.reload()
    expect(view(book, "Messages").locator("text", has_text=re.compile("^later"))).to_have_count(1)
    expect(view(book, "Clients").locator("tbody tr")).to_have_count(2)
    expect(
        view(book, "What each receive").locator("text", has_text=re.compile("^later"))
    ).to_have_count(1)
