"""Nothing that a peer writes becomes markup, a formula or an invisible character on a page."""

import html.parser
import json
import socket
from collections.abc import Callable
from types import SimpleNamespace

import pytest

from sockkit.events import Reason
from sockkit.sync import Server
from sockkit.text import plain
from sockkit.views import escape
from sockkit.widgets import ClientPanel, ClientTable, MessageLadder, ServerPanel
from sockkit.widgets.scene import Scene

from ..waiting import until

HOSTILE = {
    "script": "<script>window.hacked = 1</script>",
    "event handler": "<img src=x onerror='window.hacked = 1'>",
    "attribute break": '"\' autofocus onfocus=window.hacked=1 x="',
    "javascript link": "<a href='javascript:window.hacked=1'>click</a>",
    "svg": "<svg onload=window.hacked=1>",
    "comment and cdata": "<!-- --><![CDATA[ <b> ]]>",
    "entity": "&lt;script&gt;&#60;b&#62;",
    "ansi": "\x1b[31mred\x1b]0;title\x07\x1b[2J",
    "bidi": "‮gpj.exe⁦⁩",
    "zero width": "ad​min﻿",
    "control": "a\x00b\x08c\x7fd\x85e\u2028f",
    "surrogate": "a\ud800b",
    "mathjax dollar": r"$\href{javascript:window.hacked=1}{x}$ and $$x$$",
    "mathjax paren": r"\(x\) \[y\] \begin{equation}z\end{equation}",
    "markdown": "[x](javascript:window.hacked=1) ![](x)",
    "percent": "%s %(name)s {name} ${name}",
    "long": "A" * 1_000_000,
    "long markup": "<b>" * 300_000,
}


class Tags(html.parser.HTMLParser):
    """The elements and attributes of a text, as a browser would find them."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.found: set[str] = set()
        self.runs: list[str] = [""]
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.add(tag)
        self.found.update(name for name, _ in attrs)
        self.runs.append("")

    def handle_endtag(self, tag: str) -> None:
        self.runs.append("")

    def handle_data(self, data: str) -> None:
        self.runs[-1] += data


OURS = {"table", "class", "caption", "thead", "tbody", "tr", "th", "td", "scope", "style", "span"}
OURS |= {"p", "strong", "ul", "li"}

each = pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE.keys())


@each
def test_no_element_of_a_peers_choice(text: str) -> None:
    assert Tags(escape(text)).found <= {"span"}


@each
def test_no_formula_is_left_whole(text: str) -> None:
    # MathJax looks for its marks in one run of text, and elements end a run.
    for run in Tags(escape(text)).runs:
        assert run in ("$", "\\") or not set(run) & set("$\\")


@each
def test_one_short_visible_line(text: str) -> None:
    shown = plain(text)
    assert len(shown) <= 201
    assert shown.isprintable()
    assert len(escape(text)) < 201 * len("<span>\\</span>")


@each
def test_a_drawing_has_only_our_elements(text: str) -> None:
    scene = Scene(100, 100)
    scene.text(0, 0, text, "head")
    tags = Tags(scene.to_svg(text)).found
    assert tags <= {"svg", "xmlns", "viewbox", "width", "height", "role", "title", "style", "rect",
                    "fill", "text", "class", "x", "y", "text-anchor"}  # fmt: skip


@each
def test_a_row_of_the_table(text: str) -> None:
    connection = SimpleNamespace(
        number=1, name=text, address=("127.0.0.1", 1), connected_at=0.0, received=0, sent=0,
        received_bytes=0, sent_bytes=0, pending=0, reason=Reason.CLOSED,
    )  # fmt: skip
    from sockkit.views import connection_html

    assert Tags(connection_html(connection)).found <= OURS


def test_hostile_names_and_messages_over_a_real_socket(
    server: Server, dial: Callable[[], socket.socket]
) -> None:
    with ServerPanel(server) as panel, MessageLadder(server) as ladder:
        panel.make()
        ladder.make()
        lines = [text.encode("utf-8", "replace") for text in HOSTILE.values() if len(text) < 60_000]
        for line in lines:
            peer = dial()
            peer.sendall(b"".join(part + b"\n" for part in line.split(b"\n")))
        until(lambda: sum(c.received for c in server.clients.values()) >= len(lines))
        for connection, text in zip(server.clients.values(), HOSTILE.values(), strict=False):
            connection.name = text
        panel.flush()
        ladder.flush()
        shown = json.dumps([panel.table.make().state, ladder.make().state, panel.log()])
        assert Tags(panel.twins()["text/html"]).found <= OURS
        assert all(character.isprintable() for character in json.loads(shown) and shown)
        assert len(shown) < 300_000


def test_a_hostile_server_of_a_client_panel() -> None:
    def answer(connection: object, message: str) -> None:
        for text in HOSTILE.values():
            if len(text) < 60_000 and "\n" not in text and text.isprintable():
                connection.send(text)  # type: ignore[attr-defined]

    with Server(answer) as server, ClientPanel(server.address) as panel:
        panel.press("Connect")
        panel.fill(Message="go")
        panel.press("Send")
        until(lambda: len(panel.lines()) > 10)
        assert Tags(panel.twins()["text/html"]).found <= OURS


def test_the_table_of_a_client_with_a_name_of_a_megabyte(
    server: Server, dial: Callable[[], socket.socket]
) -> None:
    with ClientTable(server) as table:
        dial()
        server.clients[1].name = HOSTILE["long"]
        assert len(table.to_text()) < 500
