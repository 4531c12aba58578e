"""The carrier goes and comes back, a server dies without a word: who is at home is served on."""

import asyncio
import os
import sys
import time
from collections.abc import Sequence
from contextlib import ExitStack

import pytest

from sockkit import Client, Connection, Server, UnknownClient
from sockkit.backplane import MemoryBackplane, MemoryHub, RedisBackplane, State, redis_wire, talk
from sockkit.backplane.frames import Frame
from sockkit.backplane.memory import MemoryWire
from sockkit.backplane.wire import Post

from ..core.program import Program
from ..core.test_fork import in_a_forked_child
from ..lab.loopback import HOST
from ..waiting import PATIENCE, until
from .carriers import InMemory, OverRedis
from .rooms import Room, backplane, seen

PEER = (sys.executable, "-W", "error", "-m", "tests.backplane.peer")


def test_clients_at_home_are_served_while_the_carrier_is_gone(
    room: Room, caplog: pytest.LogCaptureFixture
) -> None:
    a = room.server("a", on_message=lambda connection, text: connection.send(text))
    b = room.server("b")
    at_a, at_b = room.client(a), room.client(b)
    room.until_all_know("1@a", "1@b")

    room.carrier.kill()
    room.until_all_are(State.ALONE)
    at_a.send("still here")
    assert at_a.recv() == "still here"
    assert a.broadcast("to those at home") == 1
    assert at_a.recv() == "to those at home"
    assert (seen(a), backplane(a).servers) == (("1@a",), ("a",))
    with pytest.raises(UnknownClient, match="is alone, knows of no client"):
        backplane(a).send("1@b", "psst")

    room.carrier.start()
    room.until_all_know("1@a", "1@b")
    a.broadcast("together again")
    assert (at_a.recv(), at_b.recv()) == ("together again", "together again")
    told = [record.getMessage() for record in caplog.records if "of a:" in record.getMessage()]
    assert len(told) == 2, "once that it is gone, once that it is back, however many tries"
    assert "only the clients here are served" in told[0]
    assert "connected again" in told[1]


def test_a_server_starts_where_there_is_no_carrier_and_joins_when_there_is(
    carrier: InMemory | OverRedis, caplog: pytest.LogCaptureFixture
) -> None:
    carrier.kill()
    with Room(carrier) as room:
        a, b = room.server("a"), room.server("b")
        at_a, at_b = room.client(a), room.client(b)
        room.until_all_are(State.ALONE)
        a.broadcast("at home")
        assert at_a.recv() == "at home"
        carrier.start()
        room.until_all_know("1@a", "1@b")
        a.broadcast("everywhere")
        assert (at_a.recv(), at_b.recv()) == ("everywhere", "everywhere")
    assert len([r for r in caplog.records if "of a:" in r.getMessage()]) == 2


def test_nothing_comes_twice_or_in_the_wrong_order_however_often_it_is_gone(room: Room) -> None:
    a, b = room.server("a"), room.server("b")
    at_a, at_b = room.client(a), room.client(b)
    number = 0
    for _ in range(3):
        room.until_all_know("1@a", "1@b")
        for _ in range(20):
            a.broadcast(f"{(number := number + 1)}")
        room.carrier.kill()  # in the midst of it
        for _ in range(20):
            a.broadcast(f"{(number := number + 1)}")
        room.until_all_are(State.ALONE)
        room.carrier.start()
    room.until_all_know("1@a", "1@b")
    a.broadcast("the end")
    at_home = list(iter(at_a.recv, "the end"))
    across = [int(text) for text in iter(at_b.recv, "the end")]
    assert at_home == [str(n) for n in range(1, number + 1)], "at home nothing is ever lost"
    assert across == sorted(set(across))


def test_a_redis_that_hangs_counts_as_gone(
    redis: OverRedis, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(talk, "PATIENCE", 0.5)
    with Room(redis) as room:
        a, b = room.server("a", expiry=1), room.server("b", expiry=1)
        at_a, at_b = room.client(a), room.client(b)
        room.until_all_know("1@a", "1@b")
        redis.freeze()
        a.broadcast("into the ice")
        room.until_all_are(State.ALONE)
        a.broadcast("at home")
        assert (at_a.recv(), at_a.recv()) == ("into the ice", "at home")
        redis.thaw()  # and now it does what it was asked before
        room.until_all_know("1@a", "1@b")
        a.broadcast("the end")
        assert set(iter(at_b.recv, "the end")) <= {"into the ice"}


@pytest.mark.parametrize("kind", ["pubsub", "normal"])  # who listens, and who speaks
def test_a_line_that_breaks_is_made_again(
    redis: OverRedis, kind: str, caplog: pytest.LogCaptureFixture
) -> None:
    with Room(redis) as room:
        a, b = room.server("a"), room.server("b")
        at_a, at_b = room.client(a), room.client(b)
        room.until_all_know("1@a", "1@b")
        redis.command("CLIENT", "KILL", "TYPE", kind)
        for server in (a, b):
            server.broadcast("?")  # who only speaks notices when it does
        until(lambda: caplog.text.count("connected again") == 2)
        room.until_all_know("1@a", "1@b")
        a.broadcast("the end")
        assert set(iter(at_a.recv, "the end")) | set(iter(at_b.recv, "the end")) == {"?"}


def test_a_line_on_which_nothing_comes_is_made_again(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    real, deaf = MemoryWire.receive, list[bool]()

    async def receive(wire: MemoryWire) -> bytes:
        if not deaf:
            deaf.append(True)
            await asyncio.Event().wait()
        return await real(wire)

    monkeypatch.setattr(MemoryWire, "receive", receive)
    monkeypatch.setattr(talk, "PATIENCE", 0.1)
    plane = MemoryBackplane(MemoryHub(), server="a", expiry=0.1)
    with Server(host=HOST, backplane=plane):
        until(lambda: "connected again" in caplog.text)
    assert "nothing comes through any more" in caplog.text


def test_a_callback_that_holds_the_loop_does_not_cost_the_line(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def hold(connection: Connection, text: str) -> None:
        time.sleep(1.5)  # longer than the line may be silent
        connection.send(text)

    monkeypatch.setattr(talk, "PATIENCE", 0.1)
    with Room(InMemory()) as room:
        a = room.server("a", on_message=hold, expiry=1)
        at_a = room.client(a)
        room.until_all_know("1@a")
        at_a.send("hold")
        assert at_a.recv() == "hold"
        heard_at = backplane(a)._talk._heard_at
        until(lambda: backplane(a)._talk._heard_at > heard_at)  # the line was looked at before
    assert "nothing comes through" not in caplog.text


def test_the_goodbye_is_the_last_that_is_heard(monkeypatch: pytest.MonkeyPatch) -> None:
    said: list[str] = []
    real = MemoryWire.send

    async def send(wire: MemoryWire, posts: Sequence[Post]) -> None:
        if wire.server == "a":
            said.extend(post.kind for post in posts)
            if "gone" in said:  # a list of the clients, of whom the last has left, is due by now
                await asyncio.sleep(2 * talk.PACE)
        await real(wire, posts)

    monkeypatch.setattr(MemoryWire, "send", send)
    with Room(InMemory()) as room:
        a, b = room.server("a"), room.server("b")
        room.client(a)
        room.until_all_know("1@a")
        a.stop()
        assert said[-1] == "gone"
        until(lambda: backplane(b).servers == ("b",))


def test_a_stop_does_not_wait_for_a_redis_that_hangs(redis: OverRedis) -> None:
    with Room(redis) as room:
        a = room.server("a")
        redis.freeze()
        before = time.monotonic()
        a.stop()
        assert time.monotonic() - before < talk.PATIENCE
        redis.thaw()


def test_frames_that_the_carrier_can_not_take_are_dropped_and_that_is_told_once(
    redis: OverRedis, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(talk, "MOST_WAITING", 1000)
    with Room(redis) as room:
        a, b = room.server("a"), room.server("b")
        at_a, at_b = room.client(a), room.client(b)
        room.until_all_know("1@a", "1@b")
        redis.freeze()
        for number in range(100):
            a.broadcast(f"{number} {'x' * 10_000}")
            assert at_a.recv().startswith(f"{number} ")
        redis.thaw()
        until(lambda: backplane(a)._talk._waiting == 0)
        a.broadcast("the end")
        got = [int(text.split()[0]) for text in iter(at_b.recv, "the end")]
        assert got == sorted(set(got))
        assert len(got) < 100
    assert [r.getMessage() for r in caplog.records if "dropped" in r.getMessage()] == [
        "backplane of a: too much to say, some is dropped"
    ]


def test_a_server_that_is_killed_is_off_every_list_within_two_expiries(redis: OverRedis) -> None:
    expiry = 2.0
    with Room(redis) as room, ExitStack() as stack:
        a, b = room.server("a", expiry=expiry), room.server("b", expiry=expiry)
        at_a, at_b = room.client(a), room.client(b)
        dies = stack.enter_context(Program(*PEER, redis.url, "c", str(expiry)))
        host, port = dies.line().split()
        stack.enter_context(Client((host, int(port)), timeout=PATIENCE))
        room.until_all_know("1@a", "1@b", "1@c")
        dies.type("from c\n")
        assert (at_a.recv(), at_b.recv()) == ("from c", "from c")

        dies.process.kill()
        before = time.monotonic()
        room.until_all_know("1@a", "1@b")
        assert time.monotonic() - before < 2 * expiry
        a.broadcast("without c")
        assert (at_a.recv(), at_b.recv()) == ("without c", "without c")

        # Its last list has expired in Redis as well, and who comes now does not hear of it.
        until(lambda: redis.command("EXISTS", "room:here:c") == b":0")
        late = room.server("late", expiry=expiry)
        assert backplane(late).servers == ("a", "b", "late")
        assert redis.command("SISMEMBER", "room:servers", "c") == b":0"


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system cannot fork")
def test_in_a_forked_child_it_is_not_running_and_the_parent_does_not_notice() -> None:
    hub = MemoryHub()
    planes = [MemoryBackplane(hub, server=name) for name in "ab"]
    servers = [Server(host=HOST, backplane=plane) for plane in planes]
    with servers[0], servers[1], Client(servers[1].address, timeout=PATIENCE) as client:
        servers[1].wait_for_clients(1, PATIENCE)
        assert in_a_forked_child(lambda: f"{planes[0].state} {planes[0].servers}") == "stopped ()"
        servers[0].broadcast("hello")
        assert client.recv() == "hello"


# What anybody may publish.


def test_nonsense_in_the_channels_hurts_nobody(redis: OverRedis) -> None:
    with Room(redis) as room:
        a = room.server("a")
        at_a = room.client(a)
        frames = [
            "",
            "\n",
            "hello",
            "b 12345678 1 all 0\nno newline",
            "b 12345678 2 all 0\ntwo\nlines\n",
            "b 12345678 3 here 3000\nx y z",
            "b 12345678 4 to 7\nhello\n",
        ]
        for frame in frames:
            assert redis.command("PUBLISH", "room", frame) == b":1"
        assert redis.command("SET", "room:here:d", "nonsense") == b"+OK"
        assert redis.command("SADD", "room:servers", "d") == b":1"
        b = room.server("b")
        b.broadcast("hello")
        assert at_a.recv() == "hello"
        assert backplane(b).servers == ("a", "b")


def test_what_was_overtaken_is_not_delivered() -> None:
    hub = MemoryHub()
    plane = MemoryBackplane(hub, server="a")
    with Server(host=HOST, backplane=plane) as server, Client(server.address) as client:
        server.wait_for_clients(1, PATIENCE)
        for serial in (1, 3, 2, 3, 4):
            frame = Frame("b", "12345678", serial, "all", 0, f"{serial}\n".encode())
            server._portal.call(plane._talk.received, frame)  # type: ignore[union-attr]
        assert [client.recv(PATIENCE) for _ in range(3)] == ["1", "3", "4"]


def test_a_redis_that_wants_a_password_is_told(
    redis: OverRedis, caplog: pytest.LogCaptureFixture
) -> None:
    assert redis.command("CONFIG", "SET", "requirepass", "secret") == b"+OK"
    with Room(redis) as room:
        a = room.server("a")
        assert backplane(a).state is State.ALONE
    assert "Authentication required" in caplog.text
    plane = RedisBackplane(f"{redis.url}?password=secret", server="a")
    with Server(host=HOST, backplane=plane):
        assert plane.state is State.CONNECTED


def test_no_url_of_a_redis_is_told_at_once() -> None:
    with pytest.raises(ValueError, match="redis://"):
        RedisBackplane("http://127.0.0.1", server="a")


def test_a_bug_is_logged_with_its_traceback_and_tried_again(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    real, failed = MemoryBackplane.connect, list[bool]()

    async def connect(plane: MemoryBackplane) -> MemoryWire:
        if not failed:
            failed.append(True)
            raise ZeroDivisionError("a bug")
        return await real(plane)

    monkeypatch.setattr(MemoryBackplane, "connect", connect)
    plane = MemoryBackplane(MemoryHub(), server="a")
    with Server(host=HOST, backplane=plane):
        until(lambda: plane.state is State.CONNECTED)
    assert [bool(record.exc_info) for record in caplog.records] == [True, False]


def test_without_the_package_redis_the_advice_is_to_install_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delitem(sys.modules, redis_wire.__name__)
    monkeypatch.delattr(sys.modules["sockkit.backplane"], "redis_wire")
    monkeypatch.setitem(sys.modules, "redis", None)
    for name in [name for name in sys.modules if name.startswith("redis.")]:
        monkeypatch.delitem(sys.modules, name)
    with pytest.raises(ModuleNotFoundError, match=r"sockkit\[cluster\]"):
        RedisBackplane("redis://127.0.0.1", server="a")
