"""What `import sockkit` gives, and that the two faces of it are the same."""

import ast
import inspect
import subprocess
import sys
import types
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import sockkit
from sockkit import AsyncClient, AsyncServer, Client, Limits, Raw, Server

ROOT = Path(sockkit.__file__).parents[1]
PAIRS = [(AsyncServer, Server), (AsyncClient, Client)]
NOT_IN_SYNC = {  # what the synchronous client is made of
    AsyncServer: {"broadcast_soon", "cut_off"},
    AsyncClient: {"take", "message_waiting", "cut_off"},
}
NOT_IN_ASYNC = {  # arguments about a thread, and the loop in it, that are the caller's own there
    Server: {"loop", "switch_interval"},
    Client: set[str](),
}
COUNTERPARTS = {"__enter__": "__aenter__", "__exit__": "__aexit__"}


def test_all_names_are_there_and_no_others() -> None:
    public = {
        name
        for name, value in vars(sockkit).items()
        if not name.startswith("_") and not isinstance(value, types.ModuleType)
    }
    assert public == set(sockkit.__all__)
    assert sockkit.__all__ == sorted(sockkit.__all__)


def test_an_old_python_is_told_what_is_needed_and_the_doctor_says_it_without_a_traceback() -> None:
    old = "import runpy, sys; sys.version_info = (3, 10, 13, 'final', 0); "
    words = "sockkit needs Python 3.11 or newer, and this is Python 3.10: install a newer one"
    library, doctor = (
        subprocess.run([sys.executable, "-c", old + use], capture_output=True, text=True, cwd=ROOT)
        for use in ("import sockkit", "runpy._run_module_as_main('sockkit')")
    )
    assert f"ImportError: {words}" in library.stderr.splitlines()[-1]
    assert words in doctor.stderr
    assert len(doctor.stderr.splitlines()) == 1


def test_a_star_import_gives_these_names() -> None:
    names: dict[str, Any] = {}
    exec("from sockkit import *", names)
    assert set(sockkit.__all__) <= set(names)


@pytest.mark.parametrize("name", sockkit.__all__)
def test_each_says_what_it_is(name: str) -> None:
    value = getattr(sockkit, name)
    if name != "Event":  # a union, which cannot
        assert value.__doc__
        assert value.__module__.startswith("sockkit.")


def test_the_ten_lines_in_the_docstring_run(capsys: pytest.CaptureFixture[str]) -> None:
    block = inspect.cleandoc(sockkit.__doc__ or "").split("\n\n")
    code = next(text for text in block if text.startswith("    from sockkit"))
    code = "\n\n".join(block[block.index(code) : block.index(code) + 2])
    exec(inspect.cleandoc(code), {})
    assert capsys.readouterr().out == "HELLO\n"


def members(kind: type) -> dict[str, Any]:
    """The public methods and properties of a class."""
    return {name: value for name, value in vars(kind).items() if not name.startswith("_")}


def attributes(kind: type) -> set[str]:
    """The public attributes that instances of a class are given in `__init__`."""
    tree = ast.parse(Path(inspect.getfile(kind)).read_text(encoding="utf-8"))
    return {
        node.attr
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute)
        and isinstance(node.ctx, ast.Store)
        and isinstance(node.value, ast.Name)
        and node.value.id == "self"
        and not node.attr.startswith("_")
    }


@pytest.mark.parametrize(("asynchronous", "synchronous"), PAIRS)
def test_both_faces_have_the_same_names(asynchronous: type, synchronous: type) -> None:
    names = set(members(asynchronous)) | attributes(asynchronous)
    assert names - NOT_IN_SYNC[asynchronous] == set(members(synchronous))


def parameters(function: Callable[..., Any]) -> list[tuple[str, Any, str, str]]:
    """Names, kinds, defaults and types."""
    return [
        (parameter.name, parameter.kind, repr(parameter.default), str(parameter.annotation))
        for parameter in inspect.signature(function).parameters.values()
    ]


@pytest.mark.parametrize(("asynchronous", "synchronous"), PAIRS)
def test_both_faces_take_the_same_arguments(asynchronous: type, synchronous: type) -> None:
    own = NOT_IN_ASYNC[synchronous]
    taken = [given for given in parameters(synchronous.__init__) if given[0] not in own]
    assert taken == parameters(asynchronous.__init__)
    assert own <= set(inspect.signature(synchronous).parameters)
    for name, member in members(synchronous).items():
        other = members(asynchronous).get(name)
        if inspect.isfunction(member):
            assert parameters(member) == parameters(other), name
            returned = inspect.signature(member).return_annotation
            assert returned == inspect.signature(other).return_annotation, name
        else:
            assert isinstance(member, property), name
            assert other is None or isinstance(other, property), name


@pytest.mark.parametrize(("asynchronous", "synchronous"), PAIRS)
def test_what_waits_is_async_in_one_and_plain_in_the_other(
    asynchronous: type, synchronous: type
) -> None:
    waits = {n for n, m in members(asynchronous).items() if inspect.iscoroutinefunction(m)}
    expected = {"start", "stop", "wait_for_clients"}
    if asynchronous is AsyncClient:
        expected = {"connect", "close", "recv", "drain"}
    assert waits - NOT_IN_SYNC[asynchronous] == expected
    for name, member in vars(synchronous).items():
        assert not inspect.iscoroutinefunction(member), name
    for plain, waiting in COUNTERPARTS.items():
        assert plain in vars(synchronous)
        assert waiting in vars(asynchronous)


def test_both_clients_can_be_iterated_over() -> None:
    assert {"__iter__", "__next__"} <= set(vars(Client))
    assert {"__aiter__", "__anext__"} <= set(vars(AsyncClient))


def test_what_was_asked_for_can_be_read() -> None:
    for kind in (Server, AsyncServer):
        server = kind(port=7, framing=Raw(), limits=Limits(rate=1))
        assert (server.host, server.port, server.limits) == ("127.0.0.1", 7, Limits(rate=1))
        assert isinstance(server.framing, Raw)
    for client_kind in (Client, AsyncClient):
        client = client_kind(("host", 7), framing=Raw(), timeout=3, limits=Limits(linger=1))
        assert (client.address, client.timeout, client.limits) == (("host", 7), 3, Limits(linger=1))
        assert isinstance(client.framing, Raw)
        assert (client.reason, client.connected, client.pending) == (None, False, 0)


def test_servers_and_connections_show_themselves_on_a_page() -> None:
    with Server() as server, Client(server.address):
        [connection] = server.wait_for_clients(1).values()
        for shown in (server, server._server, connection):
            assert "<table" in shown._repr_html_()
            assert str(connection.address[1]) in shown._repr_html_()
