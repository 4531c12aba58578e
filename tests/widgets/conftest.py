"""A server with raw sockets around it, and a guard: no test of a widget leaves anything behind."""

import gc
import socket
from collections.abc import Callable, Iterator
from contextlib import ExitStack

import ipywidgets
import pytest

from sockkit.sync import Server
from sockkit.widgets.feed import watched
from sockkit.widgets.flusher import page

from ..waiting import until


@pytest.fixture(autouse=True)
def no_widget_left(request: pytest.FixtureRequest) -> Iterator[None]:
    if not request.node.get_closest_marker("notebook"):  # Jupyter's client keeps descriptors
        request.getfixturevalue("nothing_left")
    widgets = open_widgets()
    yield
    if watched():
        gc.collect()
    assert not page.running
    assert watched() == 0
    assert open_widgets() <= widgets


def open_widgets() -> set[str]:
    """The models that ipywidgets holds."""
    return set(ipywidgets.Widget.get_manager_state()["state"])


@pytest.fixture
def server() -> Iterator[Server]:
    with Server(lambda connection, message: connection.send(message.upper())) as running:
        yield running


@pytest.fixture
def dial(server: Server) -> Iterator[Callable[[], socket.socket]]:
    """Connect a plain socket to the server, and wait until the server knows it."""
    with ExitStack() as sockets:

        def connect() -> socket.socket:
            raw = sockets.enter_context(socket.create_connection(server.address, timeout=5))
            place = raw.getsockname()
            until(lambda: place in [client.address for client in server.clients.values()])
            return raw

        yield connect
