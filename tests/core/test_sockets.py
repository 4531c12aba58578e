"""Listening and accepting: clear errors at the start, and nothing that ends it later."""

import asyncio
import contextlib
import errno
import re
import socket
from asyncio.trsock import TransportSocket
from collections.abc import AsyncIterator
from ipaddress import IPv6Address
from pathlib import Path
from typing import Any

import pytest

from sockkit import AsyncClient, AsyncServer, sockets
from sockkit.limits import Limits
from sockkit.sockets import accept_for_ever, is_loopback, listen, raise_clearly, tune, unread

from ..waiting import turns_until
from .peers import dial, in_a_loop, reset

LOOPBACK = "127.0.0.1"


@in_a_loop
async def test_port_0_lets_the_system_choose() -> None:
    with await listen(LOOPBACK, 0) as listener:
        assert listener.getsockname()[1] > 0
        assert not listener.getblocking()


@in_a_loop
async def test_a_host_name_will_do() -> None:
    with await listen("localhost", 0) as listener:
        assert is_loopback(listener.getsockname()[0])


@in_a_loop
async def test_a_port_in_use_is_said_to_be_so() -> None:
    with await listen(LOOPBACK, 0) as listener:
        port = listener.getsockname()[1]
        with pytest.raises(
            OSError, match=f"cannot listen on 127.0.0.1:{port}.*port 0 is"
        ) as raised:
            await listen(LOOPBACK, port)
    assert raised.value.errno == errno.EADDRINUSE


@pytest.mark.parametrize("host", ["no.such.host.invalid", "192.0.2.1", "127.0.0..1", "n" * 300])
@in_a_loop
async def test_a_bad_host_is_named(host: str) -> None:
    with pytest.raises(OSError, match=f"cannot listen on {host}:0"):
        await listen(host, 0)


@pytest.mark.parametrize("port", [-1, 65_536, 99_999])
@in_a_loop
async def test_a_number_that_is_no_port_is_refused(port: int) -> None:
    with pytest.raises(ValueError, match=f"a port is a number from 0 to 65535, not {port}"):
        await listen(LOOPBACK, port)


@pytest.mark.parametrize("port", ["5000", None, 5000.0])
@in_a_loop
async def test_what_is_no_number_is_no_port(port: Any) -> None:
    with pytest.raises(TypeError, match=re.escape(f"a port is a number; this is {port!r}")):
        await listen(LOOPBACK, port)


@in_a_loop
async def test_ipv6_works_where_the_system_has_it() -> None:
    try:
        listener = await listen("::1", 0)
    except OSError as error:
        pytest.skip(f"no IPv6 here: {error}")
    with listener:
        assert listener.family == socket.AF_INET6
        assert is_loopback(listener.getsockname()[0])


@pytest.mark.filterwarnings("ignore:.*can be reached by other machines")
@in_a_loop
async def test_a_link_local_address_keeps_its_zone() -> None:
    host = link_local()
    async with AsyncServer(host=host) as server:
        assert server.address[0] == host
        async with AsyncClient(server.address):
            await server.wait_for_clients(1)


def link_local() -> str:
    known = Path("/proc/net/if_inet6")
    for line in known.read_text().splitlines() if known.exists() else ():
        digits, *_, name = line.split()
        if digits.startswith("fe80"):
            return f"{IPv6Address(bytes.fromhex(digits))}%{name}"
    pytest.skip("no link-local address here")


@pytest.mark.parametrize(
    ("host", "loopback"),
    [
        ("127.0.0.1", True),
        ("127.9.9.9", True),
        ("::1", True),
        ("::1%lo", True),
        ("0.0.0.0", False),
        ("::", False),
        ("192.168.1.7", False),
    ],
)
def test_it_knows_what_others_can_reach(host: str, loopback: bool) -> None:
    assert is_loopback(host) is loopback


# Accepting.


@contextlib.asynccontextmanager
async def accepting(
    listener: Any, **limits: float
) -> AsyncIterator[list[tuple[socket.socket, tuple[str, int]]]]:
    admitted: list[tuple[socket.socket, tuple[str, int]]] = []
    accept = accept_for_ever(
        listener, Limits(**limits), lambda *newcomer: admitted.append(newcomer)
    )
    task = asyncio.create_task(accept)
    yield admitted
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await task
    listener.close()
    for connection, _ in admitted:
        connection.close()


@in_a_loop
async def test_a_newcomer_comes_with_its_address() -> None:
    listener = await listen(LOOPBACK, 0)
    async with accepting(listener) as admitted:
        with dial(listener.getsockname()) as client:
            await turns_until(lambda: admitted)
            assert admitted[0][1] == client.getsockname()


@in_a_loop
async def test_a_newcomer_who_is_gone_at_once_stops_nobody_else() -> None:
    listener = await listen(LOOPBACK, 0)
    for _ in range(50):
        reset(dial(listener.getsockname()))
    async with accepting(listener, keepalive=1, user_timeout=1) as admitted:
        with dial(listener.getsockname()) as client:
            await turns_until(lambda: (0, client.getsockname()) in [(0, a) for _, a in admitted])


class Failing:
    """A listener whose `accept` fails as often as told; then it goes on as a real one."""

    def __init__(self, listener: socket.socket, *errors: int) -> None:
        self.errors = list(errors)
        self._listener = listener

    def accept(self) -> tuple[socket.socket, tuple[str, int]]:
        if self.errors:
            raise OSError(self.errors.pop(0), "as the test wants it")
        return self._listener.accept()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._listener, name)


@in_a_loop
async def test_a_connection_aborted_in_the_queue_is_nobody(log: pytest.LogCaptureFixture) -> None:
    listener = Failing(await listen(LOOPBACK, 0), errno.ECONNABORTED, errno.ECONNABORTED)
    async with accepting(listener) as admitted:
        with dial(listener.getsockname()):
            await turns_until(lambda: admitted)
    assert log.records == []


@in_a_loop
async def test_who_left_in_the_queue_and_takes_no_options_any_more_is_nobody(
    monkeypatch: pytest.MonkeyPatch, log: pytest.LogCaptureFixture
) -> None:
    refusals = [OSError(errno.EINVAL, "as macOS says it")]

    def tune_as_on_macos(connection: socket.socket, limits: Limits) -> None:
        if refusals:
            raise refusals.pop()

    monkeypatch.setattr(sockets, "tune", tune_as_on_macos)
    listener = await listen(LOOPBACK, 0)
    async with accepting(listener) as admitted:
        with dial(listener.getsockname()) as gone, dial(listener.getsockname()):
            await turns_until(lambda: admitted)
            assert await asyncio.to_thread(gone.recv, 1) == b""
        await asyncio.get_running_loop().shutdown_default_executor()
    assert len(admitted) == 1
    assert log.records == []


async def _short_of(
    error: int, monkeypatch: pytest.MonkeyPatch, log: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(sockets, "RETRY", 0.001)
    listener = Failing(await listen(LOOPBACK, 0), error, error, error)
    async with accepting(listener) as admitted:
        with dial(listener.getsockname()), dial(listener.getsockname()):
            await turns_until(lambda: len(admitted) == 2)
            listener.errors.append(error)
            with dial(listener.getsockname()):
                await turns_until(lambda: len(admitted) == 3)
    assert [record.levelname for record in log.records] == ["ERROR", "WARNING"] * 2
    assert "cannot accept: as the test wants it; trying again" in log.text
    assert "accepting again" in log.text


@pytest.mark.parametrize("error", [errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM])
def test_being_out_of_something_is_told_once_an_episode(
    error: int, monkeypatch: pytest.MonkeyPatch, log: pytest.LogCaptureFixture
) -> None:
    asyncio.run(_short_of(error, monkeypatch, log))


@in_a_loop
async def test_a_rush_of_newcomers_lets_others_have_their_turn() -> None:
    turns = 0

    async def count_turns() -> None:
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)

    class Endless:
        """A listener that always has somebody waiting."""

        def fileno(self) -> int:
            return never_accepted.fileno()

        def accept(self) -> tuple[socket.socket, tuple[str, int]]:
            return socket.socket(), (LOOPBACK, 1)

        def close(self) -> None: ...

    with await listen(LOOPBACK, 0) as never_accepted, dial(never_accepted.getsockname()):
        async with accepting(Endless()) as admitted:
            counting = asyncio.create_task(count_turns())
            await turns_until(lambda: len(admitted) >= 5 * sockets.ACCEPTS_PER_TURN)
            counting.cancel()
    assert turns >= 4


# The kernel's own time limits.


class Options:
    """A socket that notes its options."""

    def __init__(self) -> None:
        self.set: dict[tuple[int, int], int] = {}

    def setsockopt(self, level: int, option: int, value: int) -> None:
        self.set[level, option] = value


def tuned(limits: Limits) -> dict[tuple[int, int], int]:
    options = Options()
    tune(options, limits)  # type: ignore[arg-type]
    return options.set


def test_without_limits_the_kernel_is_left_alone() -> None:
    assert tuned(Limits()) == {}


def test_each_limit_becomes_an_option_of_the_kernel(monkeypatch: pytest.MonkeyPatch) -> None:
    names = ("TCP_KEEPIDLE", "TCP_KEEPINTVL", "TCP_KEEPCNT", "TCP_USER_TIMEOUT")
    for number, name in enumerate(names):
        monkeypatch.setattr(socket, name, 100 + number, raising=False)
    assert tuned(Limits(keepalive=7.4, user_timeout=1.5)) == {
        (socket.SOL_SOCKET, socket.SO_KEEPALIVE): 1,
        (socket.IPPROTO_TCP, 100): 7,
        (socket.IPPROTO_TCP, 101): 7,
        (socket.IPPROTO_TCP, 102): 3,
        (socket.IPPROTO_TCP, 103): 1500,
    }


def test_macos_has_another_name_for_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(socket, "TCP_KEEPIDLE", raising=False)
    monkeypatch.setattr(socket, "TCP_KEEPALIVE", 16, raising=False)
    assert tuned(Limits(keepalive=7))[socket.IPPROTO_TCP, 16] == 7


def test_a_system_without_these_options_gets_none(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("TCP_KEEPIDLE", "TCP_KEEPALIVE", "TCP_KEEPINTVL", "TCP_KEEPCNT"):
        monkeypatch.delattr(socket, name, raising=False)
    monkeypatch.delattr(socket, "TCP_USER_TIMEOUT", raising=False)
    assert set(tuned(Limits(keepalive=7, user_timeout=7))) == {
        (socket.SOL_SOCKET, socket.SO_KEEPALIVE)
    }


@pytest.mark.parametrize("seconds", [0.0001, 0.4, 32_767, 100_000, 1e9, float("inf")])
def test_the_kernel_takes_what_it_is_given_however_long_or_short(seconds: float) -> None:
    with socket.socket() as connection:
        tune(connection, Limits(keepalive=seconds, user_timeout=seconds))
        assert connection.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE)
        for name in ("TCP_KEEPIDLE", "TCP_USER_TIMEOUT"):
            if option := getattr(socket, name, None):
                assert connection.getsockopt(socket.IPPROTO_TCP, option) > 0


# Closing.


def test_what_a_sender_that_never_pauses_leaves_unread_is_not_read_for_ever(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(sockets, "_MOST_READS", 3)
    here, there = socket.socketpair()
    with here, there:
        there.sendall(bytes(100_000))
        pieces = unread(TransportSocket(here), say_fin=False)
        for _ in range(3):
            assert next(pieces)
            there.sendall(bytes(65_536))
        assert list(pieces) == []


def test_what_is_read_to_its_end_ends() -> None:
    here, there = socket.socketpair()
    with here, there:
        there.sendall(b"last words")
        there.shutdown(socket.SHUT_WR)
        assert list(unread(TransportSocket(here), say_fin=True)) == [b"last words"]
        assert there.recv(10) == b""
    assert list(unread(TransportSocket(here), say_fin=True)) == []


# Errors in words.


@pytest.mark.parametrize("kind", [ConnectionRefusedError, socket.gaierror, TimeoutError])
def test_an_error_keeps_its_kind_and_number(kind: type[OSError]) -> None:
    original = kind(errno.EPERM, "not permitted")
    with pytest.raises(kind, match="cannot do it: not permitted") as raised:
        raise_clearly(original, "cannot do it")
    assert raised.value.errno == errno.EPERM
    assert raised.value.__cause__ is original


def test_an_error_without_a_number_gets_none() -> None:
    with pytest.raises(OSError, match=r"^cannot do it: Multiple exceptions") as raised:
        raise_clearly(OSError("Multiple exceptions: two"), "cannot do it")
    assert raised.value.errno is None


def test_a_host_that_nobody_knows_comes_with_a_hint() -> None:
    with pytest.raises(socket.gaierror, match=r"not known\. Is the host typed right\?"):
        raise_clearly(socket.gaierror(socket.EAI_NONAME, "not known"), "cannot connect")


def test_a_refused_connection_comes_with_a_hint() -> None:
    with pytest.raises(ConnectionRefusedError, match="is the server started"):
        raise_clearly(ConnectionRefusedError(errno.ECONNREFUSED, "refused"), "cannot connect")
