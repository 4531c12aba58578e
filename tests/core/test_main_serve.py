"""`python -m sockkit serve`, run and talked to as anybody would."""

import asyncio
import os
import socket
import struct
import sys
import warnings
from collections.abc import Iterator
from contextlib import suppress

import pytest

from sockkit.cli import serve as command

from ..ports import free_port
from ..waiting import until
from .program import SOCKKIT, Program, Serving, address_in, run

needs_ctrl_c = pytest.mark.skipif(
    sys.platform == "win32", reason="Windows sends Ctrl-C to all programs of a console at once"
)
RESET = struct.pack("hh" if sys.platform == "win32" else "ii", 1, 0)


@pytest.fixture
def server() -> Iterator[Serving]:
    with Serving() as program:
        yield program


def connected(server: Serving) -> socket.socket:
    """A plain socket, connected, and the server has said so."""
    sock = socket.create_connection(server.address)
    assert " joins from 127.0.0.1:" in server.line()
    return sock


def test_the_first_lines_say_where_it_is_and_how_to_try_it() -> None:
    with Program(*SOCKKIT, "serve") as server:
        first, second = server.line(), server.line()
        host, port = address_in(first)
        assert host == "127.0.0.1"
        assert first.endswith(f"nc {host} {port}")
        assert f"python -m sockkit connect {host} {port}" in second


def test_it_answers_in_upper_case_and_tells_who_joins_says_what_and_leaves(server: Serving) -> None:
    with socket.create_connection(server.address) as peer:
        host, port = peer.getsockname()
        assert server.line() == f"client 1 joins from {host}:{port}"
        peer.sendall(b"hello\n")
        assert peer.recv(100) == b"HELLO\n"
        assert server.line() == "client 1 says: hello"
    assert server.line() == "client 1 leaves: closed"


def test_it_tells_a_reset_from_a_polite_leave(server: Serving) -> None:
    peer = connected(server)
    peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
    peer.close()
    assert server.line() == "client 1 leaves: reset"


def test_terminal_codes_of_a_client_do_not_reach_the_terminal(server: Serving) -> None:
    with connected(server) as peer:
        peer.sendall("\x1b[2J\x1b[31mred \x07 \u202eevil\n".encode())
        assert server.line() == "client 1 says: ·[2J·[31mred · ·evil"


def test_a_line_that_telnet_has_ended_is_shown_without_its_return(server: Serving) -> None:
    with connected(server) as peer:
        peer.sendall(b"hello\r\n")
        assert server.line() == "client 1 says: hello"


@pytest.mark.parametrize("junk", [b"\xff\xfe\n", b"x" * 100_000])
def test_who_sends_junk_goes_and_the_others_stay(server: Serving, junk: bytes) -> None:
    with connected(server) as good, connected(server) as bad:
        bad.sendall(junk)
        assert server.line() == "client 2 leaves: protocol error"
        good.sendall(b"still here\n")
        assert good.recv(100) == b"STILL HERE\n"
    assert server.err == []


def test_who_never_reads_goes_and_that_is_no_error(server: Serving) -> None:
    line = b"x" * 60_000 + b"\n"
    with connected(server) as peer, suppress(ConnectionError):
        while True:
            peer.sendall(line)
    lines = iter(server.line, "client 1 leaves: too slow")
    assert set(lines) == {f"client 1 says: {'x' * 200}…"}
    assert server.err == []


@needs_ctrl_c
def test_ctrl_c_ends_it_with_a_closing_line() -> None:
    with Serving() as server:
        with connected(server) as one, connected(server) as two:
            one.sendall(b"hello\n")
            assert server.line() == "client 1 says: hello"
            server.interrupt()
            assert server.end() == 0
            assert server.out[-3:] == [
                "client 1 leaves: server stopped",
                "client 2 leaves: server stopped",
                "Stopped. 2 clients came and sent 1 message.",
            ]
            assert (one.recv(100), one.recv(100), two.recv(100)) == (b"HELLO\n", b"", b"")
        assert server.err == []


@needs_ctrl_c
def test_ctrl_c_ends_it_where_it_has_no_stdout_either() -> None:
    address = ("127.0.0.1", free_port())

    def it_listens() -> bool:
        with socket.socket() as sock:
            return sock.connect_ex(address) == 0

    command = (*SOCKKIT, "serve", "--port", str(address[1]))
    with Program("sh", "-c", 'exec "$@" >&-', "sh", *command) as server:
        until(it_listens)
        server.interrupt()
        assert server.end() == 0
        assert server.err == []


def test_a_port_in_use_is_told_in_one_sentence(server: Serving) -> None:
    host, port = server.address
    done = run("serve", "--port", str(port))
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith(f"sockkit: cannot listen on {host}:{port}: ")
    assert "port 0 is always free" in done.stderr
    assert done.stderr.count("\n") == 1


def test_a_host_that_is_not_ours_is_told_in_one_sentence() -> None:
    done = run("serve", "--host", "192.0.2.1")  # nobody's, RFC 5737
    assert done.returncode == 1
    assert done.stderr.startswith("sockkit: cannot listen on 192.0.2.1:0: ")
    assert done.stderr.count("\n") == 1


def test_it_listens_where_it_is_told() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    with Serving("--port", str(port), "--host", "localhost") as server:
        assert server.address[1] == port


def test_an_address_that_nobody_can_connect_to_is_not_what_it_says_to_try() -> None:
    with Program(*SOCKKIT, "serve", "--host", "0.0.0.0") as server:
        said = server.line()
        port = address_in(said)[1]
        assert said.startswith(f"Listening on 0.0.0.0:{port}. ")
        assert said.endswith(f": nc 127.0.0.1 {port}")
        assert f"connect 127.0.0.1 {port};" in server.line()


def test_it_ends_when_nobody_reads_what_it_tells() -> None:
    reader, writer = os.pipe()
    with Program(*SOCKKIT, "serve", stdout=writer) as server, open(reader) as lines:
        os.close(writer)
        address = address_in(lines.readline())
        lines.close()
        with socket.create_connection(address):
            assert server.end() == 1
        assert server.err == []


def test_nc_gets_its_lines_back_in_upper_case(server: Serving, netcat: str) -> None:
    host, port = server.address
    with Program(netcat, host, str(port)) as nc:
        server.line()
        for word in ("hello", "grüße"):
            nc.type(f"{word}\n")
            assert server.line() == f"client 1 says: {word}"
            assert nc.line() == word.upper()
    assert server.line() == "client 1 leaves: closed"


def test_that_others_can_reach_it_is_told_as_a_remark(capsys: pytest.CaptureFixture[str]) -> None:
    class Reachable:
        async def start(self) -> None:
            warnings.warn("0.0.0.0 can be reached by other machines", RuntimeWarning, stacklevel=1)

    asyncio.run(command._start(Reachable()))
    assert capsys.readouterr().err == "sockkit: careful: 0.0.0.0 can be reached by other machines\n"
