"""How things look in a notebook cell, as plain HTML: no widgets, no front end needed.

Pure functions from what an object knows to text. Everything that a peer may have chosen (its name,
its message) goes through `escape`, the only door from the network to a page.
"""

import html
import time
from collections.abc import Iterable, Sequence
from typing import Any

from sockkit.text import plain

COLUMNS = (
    "client", "name", "address", "since", "received", "sent", "bytes in", "bytes out",
    "pending", "state",
)  # fmt: skip
_NUMERIC = frozenset({"client", "received", "sent", "bytes in", "bytes out", "pending"})


def escape(value: Any, limit: int = 200) -> str:
    """Text from the network as harmless HTML: at most `limit` characters of it. Any thread.

    Control and direction characters go (`sockkit.text.plain`) and markup is escaped. Dollar signs
    and backslashes stand alone in an element each, because notebooks hand HTML to MathJax, and a
    formula may hold a link that runs a script.

    Example:
        >>> escape("<b>hi")
        '&lt;b&gt;hi'
    """
    text = html.escape(plain(value, limit))
    return text.replace("\\", "<span>\\</span>").replace("$", "<span>$</span>")


def clock(seconds: float, digits: int = 0) -> str:
    """A time of day, from seconds since the epoch: ``14:03:59``; `digits` of the fraction too."""
    text = time.strftime("%H:%M:%S", time.localtime(seconds))
    return text + f"{seconds % 1:.{digits}f}"[1:] if digits else text


def place(address: Sequence[Any] | None) -> str:
    """A socket's address as people write it: ``127.0.0.1:5000``."""
    return f"{address[0]}:{address[1]}" if address else ""


def client_row(connection: Any) -> list[str]:
    """One connection as the texts of `COLUMNS`; harmless, but not escaped for HTML yet."""
    return [
        str(connection.number),
        plain(connection.name, 40),
        plain(place(connection.address), 60),
        clock(connection.connected_at),
        f"{connection.received:,}",
        f"{connection.sent:,}",
        f"{connection.received_bytes:,}",
        f"{connection.sent_bytes:,}",
        f"{connection.pending:,}",
        str(connection.reason or "connected"),
    ]


def table_html(columns: Sequence[str], rows: Iterable[Sequence[str]], caption: str) -> str:
    """A table with a caption; every cell is escaped here."""
    lines = ['<table class="sockkit">', f"<caption>{escape(caption)}</caption>"]
    heads = "".join(f'<th scope="col">{escape(name)}</th>' for name in columns)
    lines.append(f"<thead><tr>{heads}</tr></thead><tbody>")
    for row in rows:
        cells = (_cell(name, value) for name, value in zip(columns, row, strict=True))
        lines.append(f"<tr>{''.join(cells)}</tr>")
    lines.append("</tbody></table>")
    return "\n".join(lines)


def server_html(server: Any) -> str:
    """A server in a cell: where it listens, and who is connected. Any thread."""
    clients = server.clients
    where = f"listens on {place(server.address)}" if server.running else "is stopped"
    count = f"{len(clients)} client{'' if len(clients) == 1 else 's'}"
    caption = f"{type(server).__name__} {where}: {count}"
    return table_html(COLUMNS, map(client_row, clients.values()), caption)


def connection_html(connection: Any) -> str:
    """One connection in a cell: a table of two columns. Any thread."""
    rows = zip(COLUMNS, client_row(connection), strict=True)
    return table_html(("what", "value"), rows, f"client {connection.number}")


def _cell(column: str, value: str) -> str:
    align = "right" if column in _NUMERIC else "left"
    return f'<td style="text-align:{align}">{escape(value)}</td>'
