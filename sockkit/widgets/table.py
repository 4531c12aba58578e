"""The live table of a server's clients, and of those who left, with the reason."""

import threading
from typing import Any

import traitlets

from sockkit.events import Connected, Disconnected
from sockkit.text import plain
from sockkit.views import COLUMNS, client_row, place, table_html
from sockkit.widgets.feed import Feed, feed_of
from sockkit.widgets.page import Live, Shown

GONE = 50
"""How many clients that left stay in the table."""

_NUMERIC = [name not in ("name", "address", "since", "state") for name in COLUMNS]
_SAME_EACH_RUN = ("client", "name", "received", "sent", "state")


class TableWidget(Live):
    """The page's side of a `ClientTable`."""

    module = "table.js"
    selected = traitlets.Int(0).tag(sync=True)


class ClientTable(Shown):
    """Who is connected to `server`, and who left, as one live table. Any thread.

    Connected clients are read from the server itself, so the table is right however many records
    were dropped. Clients that left since the table was made stay as faint rows, with the reason.

    Example:
        >>> table = ClientTable(server)  # doctest: +SKIP
        >>> print(table.to_text())  # doctest: +SKIP
        client  name  received  sent  state
        1       Ada   2         2     connected
    """

    def __init__(self, server: Any) -> None:
        super().__init__()
        self._lock = threading.Lock()  # the page's thread and a cell may both ask for the rows
        self.follow(server)

    def follow(self, server: Any) -> None:
        """Show the clients of this server from now on, and no other's."""
        with self._lock:
            self._server = server
            self._feed: Feed | None = feed_of(server)
            self._last: dict[int, Any] = dict(server.clients)  # keeps their counts when they left
            self._from = self._feed.seen

    @property
    def selected(self) -> int:
        """The number of the client whose row is selected; 0 if none, or if it has left."""
        number: int = self._widget.selected if self._widget else 0
        return number if number in self._server.clients else 0

    def forget(self) -> None:
        """Take those who left out of the table."""
        self._from = self._feed.seen if self._feed else 0

    def rows(self) -> list[list[str]]:
        """A row for each client, by number: the texts of `sockkit.views.COLUMNS`."""
        with self._lock:
            clients = self._server.clients
            gone = self._gone(clients)
            self._last = {n: c for n, c in self._last.items() if n in gone} | dict(clients)
        rows = {number: client_row(connection) for number, connection in clients.items()}
        return [row for _, row in sorted((rows | gone).items())]

    def caption(self) -> str:
        """How many are connected."""
        count = len(self._server.clients)
        text = f"{count:,} client{'' if count == 1 else 's'} connected"
        dropped = self._feed.dropped if self._feed else 0
        return f"{text}; {dropped:,} older records dropped" if dropped else text

    def to_text(self, columns: tuple[str, ...] = _SAME_EACH_RUN) -> str:
        """The table as text; by default only the columns that read the same in each run."""
        chosen = [COLUMNS.index(name) for name in columns]
        rows = [list(columns)] + [[row[i] for i in chosen] for row in self.rows()]
        widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
        lines = ["  ".join(map(str.ljust, row, widths)).rstrip() for row in rows]
        return "\n".join(lines if len(rows) > 1 else ["no clients"])

    def to_html(self, columns: tuple[str, ...] = _SAME_EACH_RUN) -> str:
        """The table as HTML, escaped."""
        chosen = [COLUMNS.index(name) for name in columns]
        rows = [[row[i] for i in chosen] for row in self.rows()]
        return table_html(columns, rows, f"{len(self._server.clients)} connected")

    def twins(self) -> dict[str, str]:
        """Text and HTML."""
        return {"text/plain": self.to_text(), "text/html": self.to_html()}

    def flush(self) -> None:
        """Send the rows, if they changed."""
        self._widget.show(
            columns=list(COLUMNS),
            numeric=_NUMERIC,
            rows=self.rows(),
            caption=self.caption(),
            empty="Nobody is connected yet.",
        )

    def _gone(self, clients: Any) -> dict[int, list[str]]:
        feed = self._feed
        if feed is None:
            return {}
        lives = [entry.record for entry in feed.lives() if entry.seq > self._from]
        places = {record.number: record for record in lives if isinstance(record, Connected)}
        ends = [record for record in lives if isinstance(record, Disconnected)]
        shown = [record for record in ends[-GONE:] if record.number not in clients]
        return {record.number: self._gone_row(record, places) for record in shown}

    def _gone_row(self, record: Disconnected, places: dict[int, Connected]) -> list[str]:
        known = self._last.get(record.number)
        connection = known or (self._feed.met(record.number) if self._feed else None)
        if connection is not None:
            return [*client_row(connection)[:-1], str(record.reason)]
        # It came into a crowd and left between two looks: only the records know of it.
        address = places[record.number].address if record.number in places else None
        row = [""] * len(COLUMNS)
        row[0], row[2], row[-1] = str(record.number), plain(place(address)), str(record.reason)
        return row

    def _build(self) -> TableWidget:
        return TableWidget(label="Clients of this server")

    def _close(self) -> None:
        self._feed = None
