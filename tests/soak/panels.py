"""Panels and views that come onto a page that nobody sees, with their flusher at work."""

import random
import threading
from contextlib import ExitStack

from sockkit import Client, Lines, Server
from sockkit.lab.wire import Tap
from sockkit.widgets import (
    ClientPanel,
    MessageLadder,
    ServerPanel,
    SocketStates,
    ThreadLanes,
    WireView,
)
from sockkit.widgets.server_panel import shout

from ..lab.loopback import HOST
from ..waiting import until


def watch(server: Server, over: threading.Event, source: random.Random) -> None:
    """Every view of a server under load, on the page until it is over."""
    with ExitStack() as stack:
        panel = stack.enter_context(ServerPanel(server))
        views = [MessageLadder(server), SocketStates(server), ThreadLanes()]
        for view in (panel, *views):
            stack.enter_context(view)
            assert view.widget is not None  # from now on the flusher asks it
        lanes = views[-1]
        while not over.wait(0.2 + source.random()):
            with lanes.span("look"):
                panel.to_text()
                panel.fill(Message="")
        for view in (panel, *views):
            assert view.twins()["text/plain"]


def play(source: random.Random) -> None:
    """Both windows of the article, a wire view, and a server that is started and stopped."""
    wire = Tap(Lines())
    with (
        Server(shout, host=HOST, framing=wire) as server,
        ServerPanel(server) as window,
        WireView(wire) as bytes_,
    ):
        assert window.widget is not None
        assert bytes_.widget is not None
        for name in ("Ada", "Grace"):
            with ClientPanel(server.address, name=name) as panel:
                assert panel.widget is not None
                panel.press("Connect", 60)
                for _ in range(source.randrange(1, 4)):
                    panel.fill(Message="hello")
                    panel.press("Send", 60)
                until(lambda panel=panel: "received: HELLO" in panel.to_text())
                assert panel.error == ""
        window.press("Stop", 60)
        window.press("Start", 60)
        with Client(server.address, timeout=60) as client:
            client.send("still here?")
            assert client.recv() == "STILL HERE?"
        assert window.error == ""
