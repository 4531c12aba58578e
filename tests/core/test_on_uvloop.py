"""The same on uvloop: what tests elsewhere say of talking, leaving, bounds, TLS, stop and start.

They are run once more, with every loop that is made meanwhile being uvloop's: that of a `Server`,
and that of a test which runs one of its own. Those are left out that time themselves, or that
compare what no loop has a part in.
"""

import asyncio
import asyncio.events
import threading
import time
from types import ModuleType
from typing import Any

import pytest

from sockkit import Client, Connection, Limits, Server, door

from . import (
    test_bounds,
    test_leaving,
    test_poller,
    test_server,
    test_talking,
    test_tls,
    test_tokens,
)
from .peers import echo

LEFT_OUT = {
    "test_a_thousand_starts_and_stops_leave_nothing_behind": "some seconds; ten of them do here",
}


def taken_from(*modules: ModuleType) -> dict[str, object]:
    """The tests of these modules, under names that tell from which."""
    return {
        f"{module.__name__.rpartition('.')[2]}_{name.removeprefix('test_')}": value
        for module in modules
        for name, value in vars(module).items()
        if name.startswith("test_") and name not in LEFT_OUT
    }


globals().update(
    taken_from(
        test_bounds, test_leaving, test_poller, test_server, test_talking, test_tls, test_tokens
    )
)


@pytest.fixture(autouse=True)
def loops_of_uvloop(uvloop: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    for place in (asyncio, asyncio.events):
        monkeypatch.setattr(place, "new_event_loop", uvloop.new_event_loop)


def test_it_is_uvloop_indeed(uvloop: Any) -> None:
    with Server(echo) as server:
        assert server._portal is not None
        assert isinstance(server._portal._loop, uvloop.Loop)
    with asyncio.Runner() as runner:
        assert isinstance(runner.get_loop(), uvloop.Loop)


def test_where_there_is_no_epoll_the_loop_watches(
    uvloop: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(door, "HAS_EPOLL", False)
    with Server(echo, loop="uvloop") as server, Client(server.address) as client:
        for text in ("one", "two"):
            client.send(text)
            assert client.recv(timeout=20) == text


def test_who_spoke_while_a_callback_held_the_loop_is_not_called_silent() -> None:
    held = threading.Event()

    def on_message(connection: Connection, text: str) -> None:
        if text == "hold":
            held.set()
            time.sleep(2.5)  # longer than a client may be silent; and uvloop's timers come first
        connection.send(text)

    with (
        Server(on_message, loop="uvloop", limits=Limits(idle_timeout=2)) as server,
        Client(server.address) as one,
        Client(server.address) as other,
    ):
        one.send("hold")
        held.wait()
        other.send("hello")
        assert other.recv(timeout=20) == "hello"
