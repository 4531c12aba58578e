"""`python -m sockkit connect`: typed at, piped into, cut off."""

import contextlib
import os
import socket
import struct
import sys
from collections.abc import Iterator

import pytest

from sockkit import Connection, Server

from ..waiting import PATIENCE, until
from .program import SOCKKIT, Program, Serving, run

needs_ctrl_c = pytest.mark.skipif(
    sys.platform == "win32", reason="Windows sends Ctrl-C to all programs of a console at once"
)
RESET = struct.pack("hh" if sys.platform == "win32" else "ii", 1, 0)


def upper(connection: Connection, text: str) -> None:
    connection.send(text.upper())


@pytest.fixture
def server() -> Iterator[Server]:
    with Server(upper) as server:
        yield server


@pytest.fixture
def listener() -> Iterator[socket.socket]:
    """For a server that does what no server of the kit would."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(PATIENCE)
        yield listener


def where(server: Server | socket.socket) -> list[str]:
    address = server.address if isinstance(server, Server) else server.getsockname()
    return [str(part) for part in address]


def connect(server: Server | socket.socket) -> Program:
    return Program(*SOCKKIT, "connect", *where(server))


def test_what_is_piped_in_comes_back_from_serve() -> None:
    with Serving() as server:
        host, port = server.address
        done = run("connect", host, str(port), given="a\nb\n")
    assert (done.returncode, done.stdout) == (0, "A\nB\n")
    assert done.stderr == (
        f"Connected to {host}:{port}.\n"
        "The connection has ended: closed (you had said all, and so had the server).\n"
    )


@pytest.mark.parametrize(
    ("given", "printed"),
    [
        (b"", ""),
        (b"\n", "\n"),
        (b"a\nno newline at the end", "A\nNO NEWLINE AT THE END\n"),
        (b"from\r\nwindows\r\n", "FROM\nWINDOWS\n"),
        ("grüße\n".encode(), "GRÜSSE\n"),
    ],
)
def test_any_input_is_lines(server: Server, given: bytes, printed: str) -> None:
    done = run("connect", *where(server), given=given)
    assert (done.returncode, done.stdout) == (0, printed)


def test_every_reply_to_a_long_input_is_printed(server: Server) -> None:
    lines = [f"line {number}\n" for number in range(50_000)]
    done = run("connect", *where(server), given="".join(lines))
    assert done.stdout == "".join(lines).upper()


def test_more_than_may_wait_is_sent_as_the_server_reads_it(server: Server) -> None:
    lines = "".join(f"{number:060000}\n" for number in range(100))  # 6 MB; 1 MiB may wait
    done = run("connect", *where(server), given=lines)
    assert done.stdout == lines


def test_what_the_server_says_is_printed_while_nothing_is_typed(server: Server) -> None:
    with connect(server) as client:
        server.wait_for_clients(1, PATIENCE)
        server.send(1, "good morning")
        assert client.line() == "good morning"
        client.type("hello\n")
        assert client.line() == "HELLO"


def test_it_ends_when_the_server_closes_while_it_waits_for_input(server: Server) -> None:
    with connect(server) as client:
        server.wait_for_clients(1, PATIENCE)
        server.disconnect(1)
        assert client.end() == 0
        assert client.err[-1] == "The connection has ended: closed (the server closed it)."


def test_a_reset_is_a_failure_and_told(listener: socket.socket) -> None:
    with connect(listener) as client:
        peer, _ = listener.accept()
        client.remark("Connected to")
        peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
        peer.close()
        assert client.end() == 1
        assert client.err[-1] == "The connection has ended: reset (the server's side broke it off)."


def test_terminal_codes_of_a_server_do_not_reach_the_terminal(listener: socket.socket) -> None:
    with connect(listener) as client:
        peer, _ = listener.accept()
        with peer:
            peer.sendall("\x1b[2J\x1b]0;title\x07 \u202eevil\r\n".encode())
            assert client.line() == "·[2J·]0;title· ·evil"


def test_a_server_that_sends_no_text_is_told(listener: socket.socket) -> None:
    with connect(listener) as client:
        peer, _ = listener.accept()
        with peer:
            peer.sendall(b"\xff\xfe\n")
            assert client.end() == 1
            assert "protocol error (the server sent what is no line of text)" in client.err[-1]


def test_what_is_no_text_is_not_sent_and_the_rest_is(server: Server) -> None:
    done = run("connect", *where(server), given=b"good\n\xff\x1b\nalso good\n")
    assert (done.returncode, done.stdout) == (0, "GOOD\nALSO GOOD\n")
    assert r"Not sent, since it is not UTF-8 text: \xff\x1b (" in done.stderr


def test_a_line_that_is_too_long_ends_the_input(server: Server) -> None:
    given = b"good\n" + b"x" * 65_536 + b"\n" + b"x" * 65_537 + b"\nnever sent\n"
    done = run("connect", *where(server), given=given)
    assert (done.returncode, done.stdout) == (0, f"GOOD\n{'X' * 65_536}\n")
    assert "A line of more than 65,536 bytes: the input ends before it." in done.stderr


def test_a_server_that_says_and_closes_nothing_is_left_after_a_while(
    listener: socket.socket,
) -> None:
    hurry = "from sockkit.cli import connect; connect.PATIENCE = 0.1; "
    code = hurry + f"exit(connect.run(*{listener.getsockname()!r}))"
    done = run(given="hello\n", command=(sys.executable, "-W", "error", "-c", code))
    assert done.returncode == 0
    assert done.stderr.splitlines()[-1] == "No reply for 0.1 s, and no more input: you left."


def test_nobody_there_is_told_in_one_sentence(listener: socket.socket) -> None:
    host, port = where(listener)
    listener.close()
    done = run("connect", host, port)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith(f"sockkit: cannot connect to {host}:{port}: ")
    assert "Nobody listens there" in done.stderr
    assert done.stderr.count("\n") == 1


@pytest.mark.parametrize("name", ["a..b", "x" * 300])
def test_what_is_no_name_of_a_host_is_told_in_one_sentence(name: str) -> None:
    done = run("connect", name, "5000")
    assert done.returncode == 1
    no_host = "that can't be the name of a host"
    assert done.stderr == f"sockkit: cannot connect to {name}:5000: {no_host}\n"


@needs_ctrl_c
def test_ctrl_c_leaves_politely(server: Server) -> None:
    with connect(server) as client:
        client.remark("Connected to")
        client.interrupt()
        assert client.end() == 0
        assert client.err[-1] == "You left."
    until(lambda: not server.clients)


def test_it_ends_when_nobody_reads_what_it_prints(server: Server) -> None:
    reader, writer = os.pipe()
    os.close(reader)
    with Program(*SOCKKIT, "connect", *where(server), stdout=writer) as client:
        os.close(writer)
        client.type("hello\n")
        assert client.end() == 1
        assert len(client.err) == 1  # that it was connected


def test_without_any_stdin_it_only_listens(listener: socket.socket) -> None:
    shell = 'exec "$@" <&-'
    if sys.platform == "win32":
        pytest.skip("Windows has no way to start a program without a stdin")
    command = (*SOCKKIT, "connect", *where(listener))
    with Program("sh", "-c", shell, "sh", *command) as client:
        peer, _ = listener.accept()
        with peer:
            peer.sendall(b"good morning\n")
            assert client.line() == "good morning"
            assert peer.recv(100) == b""
        assert client.end() == 0


@pytest.mark.skipif(sys.platform == "win32", reason="Windows can't start one without a stderr")
def test_without_any_stderr_its_remarks_are_not_taken_for_replies(server: Server) -> None:
    command = (*SOCKKIT, "connect", *where(server))
    done = run(given="hello\n", command=("sh", "-c", 'exec "$@" 2>&-', "sh", *command))
    assert (done.stdout, done.returncode) == ("HELLO\n", 0)


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no pseudo-terminals in Python")
def test_at_a_terminal_lines_are_typed_and_ctrl_d_ends_it(server: Server) -> None:
    keyboard, terminal = os.openpty()
    with connect_at(terminal, server) as client:
        client.remark("Type a line and press Enter; Ctrl-D ends.")
        os.write(keyboard, b"hello\n")
        assert client.line() == "HELLO"
        os.write(keyboard, b"world\n\x04")
        assert client.line() == "WORLD"
        assert client.end() == 0
    os.close(keyboard)


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no pseudo-terminals in Python")
def test_at_a_terminal_it_ends_when_the_server_does(server: Server) -> None:
    keyboard, terminal = os.openpty()
    with connect_at(terminal, server) as client:
        server.wait_for_clients(1, PATIENCE)
        server.stop()
        assert client.end() == 0
    os.close(keyboard)


@contextlib.contextmanager
def connect_at(terminal: int, server: Server) -> Iterator[Program]:
    with Program(*SOCKKIT, "connect", *where(server), stdin=terminal) as client:
        os.close(terminal)
        yield client


def test_two_clients_talk_through_a_server_at_the_same_time() -> None:
    def pass_on(connection: Connection, text: str) -> None:
        server.broadcast(f"{connection.number}: {text}", exclude=[connection.number])

    with Server(pass_on) as server, connect(server) as first:
        server.wait_for_clients(1, PATIENCE)
        with connect(server) as second:
            server.wait_for_clients(2, PATIENCE)
            first.type("hello\n")
            assert second.line() == "1: hello"
            second.type("hello yourself\n")
            assert first.line() == "2: hello yourself"
            second.end_input()
            assert second.end() == 0
