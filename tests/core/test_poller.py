"""The poller calls its readers as a loop would."""

import asyncio
import contextlib
import errno
import os
import select
import socket
from collections import Counter
from collections.abc import Callable, Iterator
from functools import partial

import pytest

from sockkit import AsyncServer
from sockkit.poller import _AT_ONCE, HAS_EPOLL, Poller

from ..waiting import turns_until
from .peers import echo, in_a_loop

pytestmark = pytest.mark.skipif(not HAS_EPOLL, reason="there is no epoll here")


class Heard:
    """A reader that takes what came, and notes it."""

    def __init__(self, end: socket.socket, then: Callable[[], object] = lambda: None) -> None:
        self.end = end
        self.then = then
        self.notes: list[bytes] = []

    def __call__(self) -> None:
        self.notes.append(self.end.recv(10))
        self.then()


@contextlib.contextmanager
def polled(count: int) -> Iterator[tuple[Poller, list[socket.socket], list[socket.socket]]]:
    """A poller, and pairs of sockets: ours and those of the peers."""
    poller = Poller(asyncio.get_running_loop())
    with contextlib.ExitStack() as stack:
        pairs = [socket.socketpair() for _ in range(count)]
        for pair in pairs:
            stack.enter_context(pair[0])
            stack.enter_context(pair[1])
        yield poller, [pair[0] for pair in pairs], [pair[1] for pair in pairs]
        poller.close()


@in_a_loop
async def test_each_reader_hears_of_its_own_until_it_is_removed() -> None:
    with polled(2) as (poller, ours, peers):
        heard = [Heard(end) for end in ours]
        for reader in heard:
            poller.add_reader(reader.end.fileno(), reader)
        peers[0].send(b"one")
        await turns_until(lambda: heard[0].notes == [b"one"])
        peers[1].send(b"two")
        await turns_until(lambda: heard[1].notes == [b"two"])
        poller.remove_reader(ours[0].fileno())
        peers[0].send(b"unheard")
        peers[1].send(b"three")
        await turns_until(lambda: heard[1].notes == [b"two", b"three"])
        assert heard[0].notes == [b"one"]
        assert poller._epoll.poll(0) == [], "the loop would be woken for nobody, for ever"


@in_a_loop
async def test_of_more_than_fit_into_a_turn_each_has_its_turn() -> None:
    count = 2 * _AT_ONCE + 1
    with polled(count) as (poller, ours, peers):
        calls: Counter[int] = Counter()
        for end in ours:
            poller.add_reader(end.fileno(), partial(calls.update, [end.fileno()]))
        for peer in peers:
            peer.send(b"never read")  # so that all of them always have something
        await turns_until(lambda: calls.total() > 0)
        assert calls.total() == _AT_ONCE
        await turns_until(lambda: calls.total() >= 10 * count)
        assert max(calls.values()) - min(calls.values()) <= 1


@in_a_loop
async def test_what_is_left_unread_is_told_again() -> None:
    with polled(1) as (poller, [ours], [peer]):
        heard = Heard(ours)
        poller.add_reader(ours.fileno(), heard)
        peer.send(b"0123456789abc")
        await turns_until(lambda: heard.notes == [b"0123456789", b"abc"])


@in_a_loop
async def test_who_is_removed_by_another_in_the_same_turn_is_not_called() -> None:
    with polled(2) as (poller, ours, peers):
        heard = [Heard(end) for end in ours]
        for one, other in ((0, 1), (1, 0)):
            gone = ours[other].fileno()
            heard[one].then = lambda gone=gone: poller.remove_reader(gone)  # type: ignore[misc]
            poller.add_reader(ours[one].fileno(), heard[one])
        for peer in peers:
            peer.send(b"both")
        await turns_until(lambda: heard[0].notes or heard[1].notes)
        await asyncio.sleep(0)
        assert len(heard[0].notes + heard[1].notes) == 1


@in_a_loop
async def test_a_peer_that_is_gone_is_readable() -> None:
    with polled(1) as (poller, [ours], [peer]):
        heard = Heard(ours, then=lambda: poller.remove_reader(ours.fileno()))
        poller.add_reader(ours.fileno(), heard)
        peer.close()
        await turns_until(lambda: heard.notes == [b""])


@in_a_loop
async def test_closed_it_leaves_the_loop_as_it_was() -> None:
    with polled(0) as (poller, _, _):
        handle = poller._epoll.fileno()
    assert poller._epoll.closed
    assert not asyncio.get_running_loop().remove_reader(handle), "it would be watched for ever"


@pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")
@in_a_loop
async def test_cut_off_in_a_child_it_leaves_the_registrations_to_the_parent() -> None:
    with polled(1) as (poller, [ours], [peer]):
        heard = Heard(ours)
        poller.add_reader(ours.fileno(), heard)
        child = os.fork()
        if child == 0:
            try:
                poller.cut_off()
                poller.remove_reader(ours.fileno())
                os._exit(0)
            finally:
                os._exit(1)
        assert os.waitpid(child, 0)[1] == 0
        peer.send(b"still here")
        await turns_until(lambda: heard.notes == [b"still here"])


@in_a_loop
async def test_a_server_without_a_descriptor_for_it_does_not_start_and_may_later(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def none_left() -> None:
        raise OSError(errno.EMFILE, "Too many open files")

    server = AsyncServer(echo)
    with monkeypatch.context() as patch:
        patch.setattr(select, "epoll", none_left)
        with pytest.raises(OSError, match="Too many open files"):
            await server.start()
        assert not server.running
    async with server:
        reader, writer = await asyncio.open_connection(*server.address)
        writer.write(b"hello\n")
        assert await reader.readline() == b"hello\n"
        writer.close()
        await writer.wait_closed()
