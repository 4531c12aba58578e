"""The server's window: start and stop it, see who is there, answer one or all, see who left."""

import inspect
import ipaddress
from typing import Any

from sockkit.errors import ClosedError
from sockkit.events import (
    Connected,
    Disconnected,
    Received,
    Refused,
    Started,
    Stopped,
)
from sockkit.sync import Server
from sockkit.text import plain
from sockkit.views import escape, place
from sockkit.widgets.feed import Entry, Feed, feed_of
from sockkit.widgets.lines import SHOWN, Line
from sockkit.widgets.panel import Panel, lines_widget, row
from sockkit.widgets.table import ClientTable

NAME = "/name "
"""How a client of the panel's own server says what it wants to be called."""


def shout(connection: Any, message: str) -> None:
    """The panel's own server: every message comes back in upper case; ``/name Ada`` sets a name."""
    if message.startswith(NAME):
        connection.name = plain(message.removeprefix(NAME), 40)
    else:
        connection.send(message.upper())


class ServerPanel(Panel):
    """A server's controls, its clients and what they say, live in a notebook. Any thread.

    Args:
        server: a `Server`, running or not. It stays yours: closing the panel does not stop it.
            Without one the panel makes its own, an upper-case echo, and stops it when closed.
        host, port: for the panel's own server, until somebody types others. 0: any free port.
        title: the heading.

    Raises:
        TypeError: an `AsyncServer`, which only its own event loop may drive.

    Example:
        with ServerPanel() as panel:
            panel.press("Start")
            print(panel.server.address)
    """

    def __init__(
        self,
        server: Server | None = None,
        *,
        host: str = "127.0.0.1",
        port: int = 0,
        title: str = "Server",
    ) -> None:
        super().__init__(title)
        _must_have_no_loop_of_its_own(server)
        self._own = server is None
        self.server = Server(shout, host=host, port=port) if server is None else server
        self._feed: Feed | None = feed_of(self.server)
        self._cleared = 0
        self.table = ClientTable(self.server)

    # What the buttons do: each runs as a job, and may raise.

    def start(self) -> None:
        """Start the server; the panel's own takes the host and port from the fields first."""
        begins = self._own and not self.server.running
        if begins and self._widget is not None:
            self._take_address(self.host(), self.value("Port"))
        self.server.start()
        if begins and not _is_loopback(self.server.host):
            host = self.server.host
            self.note(f"{host}: everybody who can reach this machine can connect now", "error")

    def stop(self) -> None:
        """Stop the server: every client is told."""
        self.server.stop()

    def send(self) -> None:
        """Send the message to the selected client."""
        self.server.send(self._selected(), self.message(self.server.framing))

    def broadcast(self) -> None:
        """Send the message to all clients."""
        count = self.server.broadcast(self.message(self.server.framing))
        self.note(f"broadcast accepted for {count} client{'' if count == 1 else 's'}")

    def disconnect(self) -> None:
        """End the connection of the selected client."""
        self.server.disconnect(self._selected())

    def clear(self) -> None:
        """Empty the lists; clients that left go from the table."""
        self._cleared = self._feed.seen if self._feed else 0
        self._notes.clear()
        self.table.forget()

    def select(self, number: int) -> None:
        """Select the row of this client, as a click on it does."""
        self.table.make().selected = number

    def _selected(self) -> int:
        number = self.table.selected
        if not number:
            raise LookupError("select a connected client in the table first")
        return number

    def _take_address(self, host: str, port: int) -> None:
        if (host, port) == (self.server.host, self.server.port):
            return
        self.server = Server(shout, host=host, port=port)
        self._feed = feed_of(self.server)
        self._cleared = 0
        self.table.follow(self.server)

    # What it shows.

    def status(self, address: bool = True) -> str:
        """How the server is, in words; `address=False` leaves the port out."""
        try:
            where = f"listening on {place(self.server.address)}"
        except ClosedError:
            return "stopped"
        count = len(self.server.clients)
        clients = f"{count:,} client{'' if count == 1 else 's'}"
        return f"{where if address else 'running'}, {clients}"

    def messages(self) -> list[Line]:
        """What clients said, a line each: the newest."""
        entries = self._feed.messages() if self._feed else []
        said = [
            e.record for e in entries if isinstance(e.record, Received) and e.seq > self._cleared
        ]
        return [
            Line(record.time, "received", f"client {record.number}: {plain(record.message)}")
            for record in said[-SHOWN:]
        ]

    def log(self) -> list[Line]:
        """Comings and goings, starts and stops, and the panel's own notes: the newest."""
        lives = self._feed.lives() if self._feed else []
        happened = [_line(entry) for entry in lives[-SHOWN:] if entry.seq > self._cleared]
        return sorted([*happened, *self._notes.copy()], key=lambda line: line.time)

    def to_text(self) -> str:
        """The panel as text, without ports or times."""
        said = [line.text for line in self.messages()]
        parts = [f"{self.title}: {self.status(address=False)}", self.table.to_text(), *said]
        return "\n".join([*parts, self.error] if self.error else parts)

    def twins(self) -> dict[str, str]:
        """Text and HTML."""
        said = "".join(f"<li>{escape(line.text)}</li>" for line in self.messages())
        heading = f"<p><strong>{escape(self.title)}</strong>: {escape(self.status(False))}</p>"
        error = f"<p>{escape(self.error)}</p>" if self.error else ""
        html = f"{heading}{error}{self.table.to_html()}<ul>{said}</ul>"
        return {"text/plain": self.to_text(), "text/html": html}

    def flush(self) -> None:
        """Copy the state to the controls."""
        running, some = self.server.running, bool(self.server.clients)
        one = bool(self.table.selected)
        self._status.show(text=self.status(), lamp="on" if running else "off", error=self.error)
        self._enable(
            Start=not running, Stop=running, Broadcast=some,
            Send_to_selected=one, Disconnect_selected=one,
        )  # fmt: skip
        for name in ("Host", "Port"):
            self._fields[name].disabled = running or not self._own
        self.table.flush()
        self._received.show_lines(self.messages())
        self._log.show_lines(self.log())

    def _build(self) -> Any:
        self._received = lines_widget("Received")
        self._log = lines_widget("Log")
        return self._frame(
            row(
                self._text("Host", self.server.host, "", width="200px"),
                self._number("Port", self.server.port),
                self._button("Start", "start", "Listen for clients; port 0: any free port"),
                self._button("Stop", "stop", "Stop listening and close every connection"),
                self._button("Clear", "clear", "Empty both lists, and forget who left"),
            ),
            self.table.make(),
            row(
                self._text("Message", "", "to one client or to all", "send"),
                self._button("Send to selected", "send", "Only to the client selected above"),
                self._button("Broadcast", "broadcast", "To every connected client"),
                self._button("Disconnect selected", "disconnect", "End that client's connection"),
            ),
            row(self._received, self._log),
        )

    def _close(self) -> None:
        self._jobs.wait(5.0)
        self.table.close()
        self._feed = None
        if self._own:
            self.server.stop()


def _must_have_no_loop_of_its_own(server: object) -> None:
    if inspect.iscoroutinefunction(getattr(server, "start", None)):
        kind = type(server).__name__
        raise TypeError(f"a panel drives a Server; this {kind} belongs to its own event loop")


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _line(entry: Entry) -> Line:
    record = entry.record
    match record:
        case Started(address=address):
            text = f"listening on {place(address)}"
        case Connected(number=number, address=address):
            text = f"client {number} connected from {place(address)}"
        case Disconnected(number=number, reason=reason):
            text = f"client {number} is gone: {reason}"
        case Refused(address=address, why=why):
            text = f"{place(address)} was refused: {plain(why)}"
        case Stopped():
            text = "stopped"
        case _:
            text = type(record).__name__
    return Line(record.time, "note", text)
