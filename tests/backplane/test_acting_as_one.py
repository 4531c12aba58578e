"""Several servers act as one, whatever carries their messages."""

import asyncio
import math
import threading
from typing import Any

import pytest

from sockkit import (
    AsyncServer,
    Client,
    ClosedError,
    LengthPrefixed,
    Limits,
    Raw,
    Reason,
    Sent,
    Server,
    UnknownClient,
)
from sockkit.backplane import MemoryBackplane, MemoryHub, State

from ..lab.loopback import HOST
from ..waiting import PATIENCE, until
from .rooms import Room, backplane, seen


def test_a_broadcast_reaches_the_clients_of_every_server_once(room: Room) -> None:
    servers = [room.server(name) for name in "abc"]
    clients = [room.client(server) for server in servers for _ in range(2)]
    assert servers[0].broadcast("hello") == 2  # the clients here are counted, and nobody else
    servers[0].broadcast("the next")
    assert [(client.recv(), client.recv()) for client in clients] == [("hello", "the next")] * 6


def test_what_each_server_says_stays_in_order(room: Room) -> None:
    servers = [room.server(name) for name in "abc"]
    clients = [room.client(server) for server in servers]

    def talk(server: Server) -> None:
        for number in range(50):
            server.broadcast(f"{backplane(server).server} {number}")

    threads = [threading.Thread(target=talk, args=(server,)) for server in servers]
    for thread in threads:
        thread.start()
    for client in clients:
        got = [client.recv() for _ in range(150)]
        for name in "abc":
            mine = [text for text in got if text.startswith(name)]
            assert mine == [f"{name} {number}" for number in range(50)]
    for thread in threads:
        thread.join()


def test_everybody_knows_who_is_connected_anywhere(room: Room) -> None:
    b, a = room.server("b"), room.server("a")
    assert seen(a) == ()
    one, _, _ = room.client(a), room.client(a), room.client(b)
    room.until_all_know("1@a", "2@a", "1@b")
    assert backplane(b).servers == ("a", "b")
    one.close()
    room.until_all_know("2@a", "1@b")


def test_who_starts_later_knows_who_was_there_before(room: Room) -> None:
    room.client(room.server("a"))
    room.until_all_know("1@a")
    until(lambda: backplane(room.servers[0]).state is State.CONNECTED)
    late = room.server("late")
    until(lambda: seen(late) == ("1@a",))


def test_a_message_to_one_client_reaches_nobody_else(room: Room) -> None:
    a, b = room.server("a"), room.server("b")
    at_a, at_b, also_at_b = room.client(a), room.client(b), room.client(b)
    room.until_all_know("1@a", "1@b", "2@b")
    backplane(a).send("1@b", "psst")
    backplane(a).send("1@a", "at home")
    a.broadcast("to all")
    assert (at_b.recv(), at_b.recv()) == ("psst", "to all")
    assert (at_a.recv(), at_a.recv()) == ("at home", "to all")
    assert also_at_b.recv() == "to all"


def test_a_client_that_nobody_knows_is_told_as_such(room: Room) -> None:
    a, b = room.server("a"), room.server("b")
    room.client(b)
    room.until_all_know("1@b")
    strange = ("7@b", "1@c", "7@a", "0@a", "b", "1@", "@b", "x@b", "-1@b", "", 1, "9" * 5000 + "@b")
    for nobody in strange:
        with pytest.raises(UnknownClient):
            backplane(a).send(nobody, "psst")


def test_a_client_that_has_just_gone_is_no_error(room: Room) -> None:
    a, b = room.server("a"), room.server("b")
    gone, stays = room.client(b), room.client(b)
    room.until_all_know("1@b", "2@b")
    b.disconnect(1)
    backplane(a).send("1@b", "too late")  # a has not heard of it yet
    a.broadcast("to all")
    assert stays.recv() == "to all"
    assert list(gone) == []


def test_exclude_means_clients_of_this_server(room: Room) -> None:
    a, b = room.server("a"), room.server("b")
    at_a, at_b = room.client(a), room.client(b)
    assert a.broadcast("not to 1 here", exclude=[1]) == 0
    a.broadcast("to all")
    assert at_a.recv() == "to all"
    assert at_b.recv() == "not to 1 here"


def test_groups_do_not_hear_each_other(room: Room) -> None:
    a, b = room.server("a"), room.server("b")
    others = room.server("a", group="other")
    at_b, at_others = room.client(b), room.client(others)
    others.broadcast("among us")
    a.broadcast("hello")
    assert at_others.recv() == "among us"
    assert at_b.recv() == "hello"
    assert backplane(others).servers == ("a",)


@pytest.mark.parametrize(
    ("framing", "message"),
    [
        (LengthPrefixed(), b"\n 1 2 \x00\xff\r\n"),
        (Raw(), b"any bytes\n"),
        (None, "grüße " * 20_000),
    ],
)
def test_any_framing_carries_any_message(room: Room, framing: Any, message: Any) -> None:
    options = {"framing": framing} if framing else {}
    a, b = room.server("a", **options), room.server("b", **options)
    limits = Limits(max_message=1 << 20)
    with Client(b.address, limits=limits, timeout=PATIENCE, **options) as client:
        b.wait_for_clients(1, timeout=PATIENCE)
        a.broadcast(message)
        assert client.recv() == message


def test_who_stops_is_off_the_list_at_once_and_its_last_words_arrive(room: Room) -> None:
    def leaves(connection: Any, reason: Reason) -> None:
        b.broadcast(f"{connection.number}@b: {reason}")

    a = room.server("a", expiry=1000)
    b = room.server("b", expiry=1000, on_disconnect=leaves)
    at_a, _ = room.client(a), room.client(b)
    room.until_all_know("1@a", "1@b")
    b.stop()
    assert at_a.recv() == "1@b: server stopped"
    until(lambda: seen(a) == ("1@a",))
    assert (backplane(b).state, backplane(b).servers, seen(b)) == (State.STOPPED, (), ())
    with pytest.raises(ClosedError):
        backplane(b).send("1@a", "too late")


def test_a_server_that_was_started_again_is_heard_again(room: Room) -> None:
    a, b = room.server("a"), room.server("b")
    at_a = room.client(a)
    for time in ("first", "second", "third"):
        b.broadcast(time)
        assert at_a.recv() == time
        b.stop()
        b.start()


def test_observers_hear_what_comes_from_elsewhere(room: Room) -> None:
    a, b = room.server("a"), room.server("b")
    at_b, sent = room.client(b), list[Any]()
    b.observe(lambda record: sent.append(record) if isinstance(record, Sent) else None)
    a.broadcast("hello")
    assert at_b.recv() == "hello"
    assert [(record.number, record.message) for record in sent] == [(1, "hello")]


def test_a_message_that_the_framing_refuses_goes_nowhere(room: Room) -> None:
    a, b = room.server("a"), room.server("b")
    at_b = room.client(b)
    room.until_all_know("1@b")
    for say in (a.broadcast, lambda message: backplane(a).send("1@b", message)):
        with pytest.raises(TypeError):
            say(b"no text")
    a.broadcast("text")
    assert at_b.recv() == "text"


def test_it_works_inside_callbacks_and_from_any_thread(room: Room) -> None:
    def tell(connection: Any, text: str) -> None:
        backplane(a).send("1@b", f"from {connection.number}@a: {text}")

    a, b = room.server("a", on_message=tell), room.server("b")
    at_a, at_b = room.client(a), room.client(b)
    room.until_all_know("1@a", "1@b")
    at_a.send("hello")
    assert at_b.recv() == "from 1@a: hello"


def test_servers_on_one_loop_can_act_as_one() -> None:
    async def main() -> None:
        hub = MemoryHub()
        a = AsyncServer(host=HOST, backplane=MemoryBackplane(hub, server="a"))
        b = AsyncServer(host=HOST, backplane=MemoryBackplane(hub, server="b"))
        async with a, b:
            reader, writer = await asyncio.open_connection(*b.address)
            await b.wait_for_clients(1, PATIENCE)
            a.broadcast("hello")
            assert await reader.readline() == b"hello\n"
            writer.close()
            await writer.wait_closed()

    asyncio.run(main())


def test_a_start_that_is_cancelled_leaves_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    class Unreachable(MemoryBackplane):
        async def connect(self) -> Any:
            await asyncio.Event().wait()

    async def main() -> None:
        server = AsyncServer(host=HOST, backplane=Unreachable(MemoryHub(), server="a"))
        starting = asyncio.create_task(server.start())
        while not server.running:
            await asyncio.sleep(0)
        starting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await starting
        assert not server.running
        assert len(asyncio.all_tasks()) == 1

    asyncio.run(main())


def test_a_backplane_that_fails_at_its_end_does_not_keep_its_server() -> None:
    class Failing(MemoryBackplane):
        async def stop(self) -> None:
            await super().stop()
            raise OSError("no goodbye")

    async def main() -> None:
        server = AsyncServer(host=HOST, backplane=Failing(MemoryHub(), server="a"))
        for _ in range(2):
            await server.start()
            with pytest.raises(OSError, match="no goodbye"):
                await server.stop()
            assert not server.running

    asyncio.run(main())


def test_one_backplane_is_for_one_server() -> None:
    one = MemoryBackplane(MemoryHub(), server="a")
    Server(backplane=one)
    with pytest.raises(ValueError, match="make one for each"):
        Server(backplane=one)


@pytest.mark.parametrize("name", ["", "a b", "a@b", "ä", "a\n", "x" * 81])
def test_a_name_that_could_not_be_told_from_the_rest_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match="server is a name of letters"):
        MemoryBackplane(MemoryHub(), server=name)
    with pytest.raises(ValueError, match="group is a name of letters"):
        MemoryBackplane(MemoryHub(), server="a", group=name)


@pytest.mark.parametrize("expiry", [0, -1, math.inf, math.nan])
def test_an_expiry_that_cannot_be_told_to_the_others_is_refused(expiry: float) -> None:
    with pytest.raises(ValueError, match="expiry is a finite time above 0"):
        MemoryBackplane(MemoryHub(), server="a", expiry=expiry)


def test_a_namesake_is_told_once(log: pytest.LogCaptureFixture) -> None:
    hub = MemoryHub()
    with (
        Server(host=HOST, backplane=MemoryBackplane(hub, server="a")) as one,
        Server(host=HOST, backplane=MemoryBackplane(hub, server="a")) as other,
        Client(other.address) as client,
    ):
        for _ in range(3):
            one.broadcast("hello")
            assert client.recv() == "hello"
    text = "backplane: another server calls itself a too"
    assert 1 <= [record.getMessage() for record in log.records].count(text) <= 2


def test_it_says_what_it_is_and_how_it_is() -> None:
    hub = MemoryHub()
    plane = MemoryBackplane(hub, server="a", group="room")
    assert repr(plane) == "<MemoryBackplane a in room: stopped>"
    with Server(host=HOST, backplane=plane):
        assert repr(plane) == "<MemoryBackplane a in room: connected>"
        hub.unplug()
        assert not hub.plugged
        until(lambda: repr(plane) == "<MemoryBackplane a in room: alone>")


def test_without_a_backplane_there_is_none() -> None:
    with Server(host=HOST) as server:
        assert server.backplane is None
