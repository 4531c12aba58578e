"""`python -m sockkit serve` for a class: over TLS, with a token that nobody else gets to see."""

import ssl
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
import trustme

from sockkit import AuthenticationError, Client, ConnectionLost

from ..waiting import until
from .program import SOCKKIT, Program, Serving, run

SECRET = "open sesame"


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the certificate of a class server, its key, and the token of the class."""
    folder = tmp_path_factory.mktemp("class")
    authority = trustme.CA()
    made = authority.issue_cert("127.0.0.1")
    made.private_key_pem.write_to_path(folder / "server.key")
    made.cert_chain_pems[0].write_to_path(folder / "server.pem")
    made.private_key_and_cert_chain_pem.write_to_path(folder / "both.pem")
    authority.cert_pem.write_to_path(folder / "client.pem")
    (folder / "token.txt").write_text(f"{SECRET}\r\n")
    return folder


@pytest.fixture
def server(files: Path) -> Iterator[Serving]:
    options = [f"--cert={files / 'server.pem'}", f"--key={files / 'server.key'}"]
    with Serving(*options, f"--token-file={files / 'token.txt'}") as program:
        yield program


def trusting(files: Path) -> ssl.SSLContext:
    return ssl.create_default_context(cafile=files / "client.pem")


def test_who_trusts_it_and_knows_the_token_is_answered(server: Serving, files: Path) -> None:
    with Client(server.address, ssl=trusting(files), token=SECRET) as client:
        client.send("hello")
        assert client.recv() == "HELLO"
    until(lambda: "client 1 leaves: closed" in server.out)


def test_it_says_what_a_client_needs(files: Path) -> None:
    with Program(*SOCKKIT, "serve", f"--token-file={files / 'token.txt'}") as server:
        assert server.line().endswith("A client needs the token.")
    with Program(*SOCKKIT, "serve", f"--cert={files / 'both.pem'}") as server:
        assert server.line().endswith("A client needs TLS.")


def test_a_stranger_is_kept_out_and_the_class_goes_on(server: Serving, files: Path) -> None:
    with pytest.raises(AuthenticationError):
        Client(server.address, ssl=trusting(files), token="guessed").connect()
    with Client(server.address) as plain:  # which says hello in the clear
        plain.send("hello")
        with pytest.raises(ConnectionLost):
            plain.recv()
    with pytest.raises(ssl.SSLCertVerificationError):
        Client(server.address, ssl=ssl.create_default_context(), token=SECRET).connect()
    with Client(server.address, ssl=trusting(files), token=SECRET) as client:
        client.send("still here")
        assert client.recv() == "STILL HERE"


def test_the_token_is_in_no_list_of_processes_and_in_nothing_it_prints(
    server: Serving, files: Path
) -> None:
    with pytest.raises(AuthenticationError):
        Client(server.address, ssl=trusting(files), token="guessed").connect()
    with Client(server.address, ssl=trusting(files), token=SECRET) as client:
        client.send("hello")
        assert client.recv() == "HELLO"
    process = psutil.Process(server.process.pid)
    seen = [*process.cmdline(), *process.environ().values(), *server.out, *server.err]
    assert server.out
    assert [text for text in seen if SECRET in text or "guessed" in text] == []


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--cert=missing.pem"], "missing.pem: No such file"),
        (["--cert=server.pem", "--key=missing.key"], "missing.key: No such file"),
        (["--cert=server.pem"], "server.pem: no certificate with its private key, as PEM"),
        (["--cert=token.txt"], "token.txt: no certificate with its private key, as PEM"),
        (["--token-file=missing.txt"], "missing.txt: No such file"),
        (["--token-file=empty.txt"], "a token is one line of 1 to"),
        (["--token-file=two.txt"], "a token is one line of 1 to"),
        (["--token-file=binary.txt"], "binary.txt: a token is a text in UTF-8"),
    ],
)
def test_what_is_wrong_with_the_files_is_told_in_one_sentence(
    files: Path, options: list[str], said: str
) -> None:
    (files / "empty.txt").write_text("\n")
    (files / "two.txt").write_text("open\nsesame\n")
    (files / "binary.txt").write_bytes(b"\xff\xfe")
    placed = [option.replace("=", f"={files}/", 1) for option in options]
    done = run("serve", *placed)
    assert (done.returncode, done.stdout) == (1, "")
    assert said in done.stderr
    assert done.stderr.startswith("sockkit: ")
    assert done.stderr.count("\n") == 1
    assert "sesame" not in done.stderr


def test_a_key_with_a_password_is_told_instead_of_asked_for(files: Path) -> None:
    from cryptography.hazmat.primitives import serialization as form

    key = form.load_pem_private_key((files / "server.key").read_bytes(), None)
    locked = form.BestAvailableEncryption(b"word")
    text = key.private_bytes(form.Encoding.PEM, form.PrivateFormat.PKCS8, locked)
    (files / "locked.key").write_bytes(text)
    done = run("serve", f"--cert={files / 'server.pem'}", f"--key={files / 'locked.key'}")
    assert done.returncode == 1
    assert "the private key has a password" in done.stderr
    assert done.stderr.count("\n") == 1


def test_a_key_without_its_certificate_is_a_wrong_command(files: Path) -> None:
    done = run("serve", f"--key={files / 'server.key'}")
    assert done.returncode == 2
    assert "name that with --cert" in done.stderr


def test_connect_talks_to_it_and_to_the_others(server: Serving, files: Path) -> None:
    host, port = server.address
    options = [f"--cert={files / 'client.pem'}", f"--token-file={files / 'token.txt'}"]
    with Client(server.address, ssl=trusting(files), token=SECRET) as other:
        with Program(*SOCKKIT, "connect", host, str(port), *options) as ours:
            ours.type("hello\n")
            assert ours.line() == "HELLO"
            ours.type("/who\n")
            assert ours.line() == "1 2"
            ours.type("/all good morning\n")
            assert ours.line() == other.recv() == "good morning"
        assert ours.err[0] == f"Connected to {host}:{port}."


def test_connect_names_the_option_where_no_token_was_said(server: Serving, files: Path) -> None:
    options = [f"--cert={files / 'client.pem'}"]
    done = run("connect", *map(str, server.address), *options, given="hello\n")
    assert done.stdout == "refused\n"
    assert done.stderr.endswith("; if it asks for a token, --token-file names its file).\n")


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ([], "; if it speaks TLS, --cert names its certificate)."),
        (["--cert=client.pem", "--token-file=other.txt"], "did not accept the token"),
        (["--cert=stranger.pem"], "certificate verify failed"),
        (["--cert=missing.pem"], "missing.pem: No such file"),
        (["--cert=token.txt"], "token.txt: no certificate, as PEM"),
        (["--cert=client.pem", "--token-file=missing.txt"], "missing.txt: No such file"),
    ],
)
def test_connect_says_in_a_sentence_why_it_may_not_come_in(
    server: Serving, files: Path, options: list[str], said: str
) -> None:
    (files / "other.txt").write_text("guessed\n")
    trustme.CA().cert_pem.write_to_path(files / "stranger.pem")
    placed = [option.replace("=", f"={files}/", 1) for option in options]
    done = run("connect", *map(str, server.address), *placed, given="hello\n")
    assert said in done.stderr
    assert done.stdout == ""
    assert "Traceback" not in done.stderr
    assert "guessed" not in done.stderr
