"""Which loop a server's thread runs, and what it says where the one asked for is not there."""

import asyncio
import sys
from typing import Any

import pytest

from sockkit import Client, Server
from sockkit.loops import loop_factory

from .peers import echo


def loop_of(server: Server) -> asyncio.AbstractEventLoop:
    assert server._portal is not None
    return server._portal._loop


def test_without_a_word_it_is_asyncios_own() -> None:
    with Server(echo) as server:
        assert isinstance(loop_of(server), asyncio.BaseEventLoop)


def test_uvloop_serves_as_well_start_after_start(uvloop: Any) -> None:
    server = Server(echo, loop="uvloop")
    for _ in range(3):
        with server, Client(server.address) as client:
            assert isinstance(loop_of(server), uvloop.Loop)
            client.send("hello")
            assert client.recv() == "hello"


@pytest.mark.parametrize("name", ["", "UVLOOP", "trio", None])
def test_another_name_is_no_loop(name: Any) -> None:
    with pytest.raises(ValueError, match=f"'asyncio' or 'uvloop'; this is {name!r}"):
        Server(echo, loop=name)


@pytest.mark.parametrize(
    ("platform", "text"),
    [("linux", r"pip install 'sockkit\[speed\]'"), ("win32", "no uvloop for Windows")],
)
def test_where_uvloop_is_missing_it_says_what_to_do(
    platform: str, text: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "uvloop", None)  # as if it were not installed
    monkeypatch.setattr(sys, "platform", platform)
    with pytest.raises(ModuleNotFoundError, match=text) as told:
        loop_factory("uvloop")
    assert told.value.name == "uvloop"
