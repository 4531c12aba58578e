"""`python -m sockkit serve --workers N`: several processes at one port."""

import contextlib
import os
import socket
import sys
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from sockkit import Client
from sockkit.__main__ import main
from sockkit.cli import serve, workers

from ..core.program import Program, Serving, run
from ..lab.loopback import HOST
from ..waiting import PATIENCE, until
from .carriers import OverRedis

linux = pytest.mark.skipif(
    sys.platform != "linux", reason="only Linux shares out the clients of one port"
)


class Crew(Serving):
    """A running `serve --workers 2`.

    Attributes:
        workers: its processes.
    """

    def __init__(self, *arguments: str) -> None:
        super().__init__("--host", HOST, "--workers", "2", *arguments)
        self.workers = psutil.Process(self.process.pid).children()

    def clients_of_both(self, stack: contextlib.ExitStack) -> list[Client]:
        """As many clients as it takes until each worker has some: who has whom is chance."""
        clients: list[Client] = []
        while len({line.split(":")[0] for line in self.out if " joins from " in line}) < 2:
            clients.append(stack.enter_context(Client(self.address, timeout=PATIENCE)))
            joined = len(clients)
            until(lambda: sum(" joins from " in line for line in self.out) >= joined)  # noqa: B023
        return clients

    def all_ended(self) -> bool:
        return not any(
            worker.is_running() and worker.status() != "zombie" for worker in self.workers
        )


@pytest.fixture
def crew() -> Iterator[Crew]:
    with Crew() as crew:
        yield crew


@linux
def test_every_worker_serves_and_control_c_ends_them_all(crew: Crew) -> None:
    assert len(crew.workers) == 2
    assert "do not know of each other" in crew.out[1]
    with contextlib.ExitStack() as stack:
        for client in crew.clients_of_both(stack):
            client.send("hello")
            assert client.recv() == "HELLO"
        crew.interrupt()
        assert crew.end() == 0
        assert crew.out[-1] == "Stopped, with all workers."
        assert sum(": Stopped. " in line for line in crew.out) == 2
        assert crew.all_ended()
        assert list(client) == []
    assert crew.err == []


@linux
def test_no_worker_is_left_when_who_started_them_is_killed(crew: Crew) -> None:
    crew.process.kill()
    until(crew.all_ended)


@linux
def test_a_worker_that_dies_is_told_and_the_others_go_on(crew: Crew) -> None:
    crew.workers[0].kill()
    until(lambda: "worker 1 has ended, exit code -9; clients come to the others" in crew.out)
    for _ in range(5):
        with Client(crew.address, timeout=PATIENCE) as client:
            client.send("hello")
            assert client.recv() == "HELLO"
    crew.workers[1].kill()
    assert crew.end() == 1


@linux
def test_over_redis_they_act_as_one(redis: OverRedis) -> None:
    with Crew("--redis", redis.url) as crew, contextlib.ExitStack() as stack:
        assert "/all TEXT reaches everybody" in crew.out[1]
        clients = crew.clients_of_both(stack)

        def everybody() -> list[str]:
            clients[0].send("/who")
            return clients[0].recv().split()

        names = until(lambda: len(found := everybody()) == len(clients) and found)
        assert len({name.partition("@")[2] for name in names}) == 2
        clients[0].send("/all hello")
        assert [client.recv() for client in clients] == ["hello"] * len(clients)
        clients[0].send("/none of these")
        assert clients[0].recv() == "/NONE OF THESE"
        crew.interrupt()
        assert crew.end() == 0


@linux
def test_without_redis_a_worker_knows_of_its_own_clients(crew: Crew) -> None:
    with Client(crew.address, timeout=PATIENCE) as client:
        client.send("/who")
        assert client.recv() == "1"


@linux
def test_each_worker_wants_what_was_asked_for(tmp_path: Path) -> None:
    token = tmp_path / "token"
    token.write_text("let me in\n")
    with Crew("--token-file", str(token)) as crew:
        assert "A client needs the token" in crew.out[0]
        with Client(crew.address, timeout=PATIENCE, token="let me in") as client:
            client.send("hello")
            assert client.recv() == "HELLO"


@linux
def test_a_port_that_somebody_has_is_told_in_one_sentence(crew: Crew) -> None:
    port = str(crew.address[1])  # though those who have it would share it
    done = run("serve", "--host", HOST, "--port", port, "--workers", "2")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith(f"sockkit: cannot listen on {HOST}:{port}: ")
    assert done.stderr.count("\n") == 1


@linux
def test_workers_that_can_not_start_say_why(tmp_path: Path) -> None:
    done = run("serve", "--workers", "2", "--token-file", str(tmp_path / "none"))
    assert done.returncode == 1
    assert "No such file" in done.stderr


@linux
def test_it_ends_when_nobody_reads_what_it_tells() -> None:
    reader, writer = os.pipe()
    with Program(  # its first lines go to the pipe
        sys.executable, "-m", "sockkit", "serve", "--host", HOST, "--workers", "2", stdout=writer
    ) as program, open(reader) as lines:  # fmt: skip
        os.close(writer)
        port = int(lines.readline().rpartition(" ")[2])
        lines.readline()
        lines.close()
        with socket.create_connection((HOST, port)):
            assert program.end() == 1


def test_where_ports_are_not_shared_the_advice_is_to_leave_it_out(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "platform", "darwin")
    assert workers.run("127.0.0.1", 0, 2, [], together=False) == 1
    assert "as Linux does with SO_REUSEPORT; this one does not. Leave it out" in (
        capsys.readouterr().err
    )


@pytest.mark.parametrize("count", ["0", "-1", "x", "65"])
def test_a_number_of_workers_that_is_none_is_refused(
    count: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["serve", "--workers", count])
    assert ended.value.code == 2
    assert "from 1 to 64" in capsys.readouterr().err


@pytest.mark.parametrize(
    "url", ["http://127.0.0.1", "redis://:secret/word@localhost", "redis://[:secret@localhost", ""]
)
def test_what_is_no_redis_is_told_in_one_sentence_without_its_password(
    url: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "url").write_text(url + "\n")
    assert serve.run("127.0.0.1", 0, redis_file=str(tmp_path / "url")) == 1
    told = capsys.readouterr().err
    assert told.startswith("sockkit: no URL of a Redis")
    assert told.count("\n") == 1
    assert "secret" not in told


@linux
def test_a_password_for_redis_is_in_no_list_of_processes_and_in_nothing_that_is_told(
    redis: OverRedis, tmp_path: Path
) -> None:
    right, wrong = tmp_path / "right", tmp_path / "wrong"
    right.write_text(redis.url.replace("//", "//:open-sesame@") + "\n")
    wrong.write_text(redis.url.replace("//", "//:guessed@") + "\n")
    redis.ask_for_password("open-sesame")
    with Crew("--redis-file", str(right)) as crew, contextlib.ExitStack() as stack:
        assert "/all TEXT reaches everybody" in crew.out[1]
        clients = crew.clients_of_both(stack)

        def everybody() -> list[str]:
            clients[0].send("/who")
            return clients[0].recv().split()

        until(lambda: len(everybody()) == len(clients))
        with Serving("--redis-file", str(wrong)) as stranger:
            stranger.remark("invalid username-password pair")
        seen = [*crew.out, *crew.err, *stranger.out, *stranger.err]
        for process in (psutil.Process(crew.process.pid), *crew.workers):
            seen += process.cmdline()
    assert [text for text in seen if "sesame" in text or "guessed" in text] == []


def test_a_redis_is_named_once(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["serve", "--redis", "redis://127.0.0.1", "--redis-file", "url"])
    assert ended.value.code == 2
    assert "not allowed with" in capsys.readouterr().err


def test_one_server_can_name_a_redis_too(redis: OverRedis) -> None:
    with (
        Serving("--redis", redis.url) as one,
        Serving("--redis", redis.url) as other,
        Client(one.address, timeout=PATIENCE) as a,
        Client(other.address, timeout=PATIENCE) as b,
    ):

        def everybody() -> str:
            a.send("/who")
            return a.recv()

        until(lambda: everybody().count("@") == 2)
        a.send("/all hello")
        assert (a.recv(), b.recv()) == ("hello", "hello")
