"""The client's window: connect, send, see what comes back, and why the connection ended."""

import functools
import threading
import time
import weakref
from collections import deque
from collections.abc import Callable
from typing import Any

from sockkit.errors import ClosedError, ConnectionLost
from sockkit.framing import Framing, Lines
from sockkit.sync import Client
from sockkit.text import plain
from sockkit.views import escape, place
from sockkit.widgets.flusher import outside_cells
from sockkit.widgets.lines import SHOWN, Line
from sockkit.widgets.panel import Panel, lines_widget, row
from sockkit.widgets.server_panel import NAME


class ClientPanel(Panel):
    """A client's controls and what it hears, live in a notebook. Any thread.

    Args:
        address: `(host, port)` to begin with, such as `server.address`.
        name: what to be called. It is sent as ``/name NAME`` after connecting, when not empty and
            the messages are lines: a label that the server may use or not, and that nobody checks.
        framing: how bytes become messages, if not `Lines`.
        title: the heading.

    Example:
        with ClientPanel(server.address) as panel:
            panel.press("Connect")
            panel.fill(Message="hello")
            panel.press("Send")
    """

    def __init__(
        self,
        address: tuple[str, int] | None = None,
        *,
        name: str = "",
        framing: Framing | None = None,
        title: str = "Client",
    ) -> None:
        super().__init__(title)
        self._address = address or ("127.0.0.1", 0)
        self._name = name
        self._framing = framing or Lines()
        self._talk = _Talk()
        self.client: Client | None = None

    # What the buttons do: each runs as a job, and may raise.

    def connect(self) -> None:
        """Connect to the address in the fields, and begin to listen.

        Connecting a connected client changes nothing, as with the second half of a double click.
        """
        if self.connected:
            return
        host, port, name = self.host(), self.value("Port"), self.value("Name")
        if not port:
            raise ValueError("type the server's port first: the server's panel shows it")
        self.disconnect()
        client = Client((host, port), framing=self._framing).connect()
        self.client = client
        self._talk = _Talk(self._talk.lines)
        self._talk.begin(client, f"connected to {plain(place((host, port)))}")
        weakref.finalize(self, client.close).atexit = False
        if name.strip() and isinstance(self._framing, Lines):
            client.send(NAME + name.strip())

    def disconnect(self) -> None:
        """Leave politely."""
        if self.client is not None:
            self.client.close()
            self._talk.join()
            self.client = None

    def send(self) -> None:
        """Send the message."""
        if self.client is None:
            raise ClosedError("connect first")
        message = self.message(self._framing)
        self.client.send(message)
        self._talk.add("sent", f"sent: {plain(message)}")

    def clear(self) -> None:
        """Empty the list."""
        self._talk.lines.clear()
        self._notes.clear()

    # What it shows.

    @property
    def connected(self) -> bool:
        """Whether there is a connection now."""
        return self._talk.connected

    def status(self) -> str:
        """How the connection is, in words."""
        return "connected" if self.connected else self._talk.ended or "not connected"

    def lines(self) -> list[Line]:
        """What was sent, what came back, and what happened."""
        return sorted([*self._talk.lines.copy(), *self._notes.copy()], key=lambda line: line.time)

    def to_text(self) -> str:
        """The panel as text, without ports or times."""
        said = [line.text for line in self.lines() if line.kind in ("sent", "received")]
        return "\n".join([f"{self.title}: {self.status()}", *said])

    def twins(self) -> dict[str, str]:
        """Text and HTML."""
        heading, *said = self.to_text().split("\n")
        items = "".join(f"<li>{escape(line)}</li>" for line in said)
        html = f"<p><strong>{escape(heading)}</strong></p><ul>{items}</ul>"
        return {"text/plain": self.to_text(), "text/html": html}

    def flush(self) -> None:
        """Copy the state to the controls."""
        connected = self.connected
        self._status.show(text=self.status(), lamp="on" if connected else "off", error=self.error)
        self._enable(Connect=not connected, Disconnect=connected, Send=connected)
        for name in ("Host", "Port", "Name"):
            self._fields[name].disabled = connected
        self._lines.show_lines(self.lines())

    def _build(self) -> Any:
        host, port = self._address
        self._lines = lines_widget("What was said")
        return self._frame(
            row(
                self._text("Host", host, "", width="200px"),
                self._number("Port", port),
                self._text("Name", self._name, "a label", width="170px"),
                self._button("Connect", "connect", "Connect to this address"),
                self._button("Disconnect", "disconnect", "Leave politely"),
            ),
            row(
                self._text("Message", "", "to the server", "send"),
                self._button("Send", "send", "Send the message to the server"),
                self._button("Clear", "clear", "Empty the list"),
            ),
            row(self._lines),
        )

    def _close(self) -> None:
        self._jobs.wait(5.0)
        self.disconnect()


class _Talk:
    """What one connection said and heard. Its thread knows this, and not the panel."""

    def __init__(self, lines: deque[Line] | None = None) -> None:
        self.lines: deque[Line] = deque(maxlen=SHOWN) if lines is None else lines
        self.connected = False
        self.ended = ""
        self._thread: threading.Thread | None = None

    def add(self, kind: str, text: str) -> None:
        """One more line."""
        self.lines.append(Line(time.time(), kind, text))

    def begin(self, client: Client, text: str) -> None:
        """Listen to `client` until the connection ends."""
        self.connected = True
        self.add("note", text)
        run: Callable[..., Any] = functools.partial(outside_cells().run, self._listen, client)
        self._thread = threading.Thread(target=run, name="sockkit client panel", daemon=True)
        self._thread.start()

    def join(self) -> None:
        """Wait for the end of the listening."""
        if self._thread is not None:
            self._thread.join(5.0)

    def _listen(self, client: Client) -> None:
        self.ended = "disconnected"
        try:
            while True:
                self._hear(client)
        except ClosedError:
            pass  # this side closed
        except ConnectionLost as lost:
            self.ended = f"the server ended the connection: {lost.reason}"
        finally:
            self.connected = False
            self.add("note", self.ended)

    def _hear(self, client: Client) -> None:
        try:
            message = client.recv()
        except TimeoutError:
            return  # nobody said anything for a while
        self.add("received", f"received: {plain(message)}")
