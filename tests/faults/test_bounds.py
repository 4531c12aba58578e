"""What is no message, and what is too much of everything: refused before it costs anything."""

import json
import random
import socket
import subprocess
import sys
import textwrap
import threading
import tracemalloc
from collections.abc import Callable
from typing import Any

import pytest

from sockkit import Client, Connection, LengthPrefixed, Limits, Lines, ProtocolError, Reason, Server
from sockkit.lab import garbage

from ..core.peers import Notes, dial, echo, read_to_end, read_until_gone
from ..core.program import ROOT, complaints
from ..waiting import until
from .catalogue import bound, size

READ = 65_536  # bytes of one receive
OVERSIZE = {
    "an endless line": (Lines(), b"x" * READ),
    "a length of 4 GiB": (LengthPrefixed(), b"\xff\xff\xff\xff" + bytes(READ - 4)),
}


def send_for_ever(raw: socket.socket, piece: bytes) -> None:
    while True:
        raw.sendall(piece)


@pytest.mark.row("oversize message")
@pytest.mark.parametrize("kind", OVERSIZE)
def test_what_is_too_large_is_refused_before_it_is_kept(
    kind: str, figure: Callable[[str], None]
) -> None:
    framing, piece = OVERSIZE[kind]
    notes, limits = Notes(), Limits(max_message=1 << 20)
    server = Server(**notes.callbacks, framing=framing, limits=limits, receive_buffer=READ)
    with server, dial(server.address) as raw:
        [connection] = server.wait_for_clients(1).values()
        tracemalloc.start()
        try:
            with pytest.raises(ConnectionError):
                send_for_ever(raw, piece)
            until(lambda: notes.ends)
            _, peak = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
    assert notes.entries == [("connect", 1), ("end", 1, Reason.PROTOCOL_ERROR)]
    assert connection.received_bytes <= limits.max_message + READ
    # A bytearray that grows has up to an eighth in reserve; what was received is copied twice.
    assert peak < limits.max_message * 9 // 8 + 3 * READ
    figure(
        f"{kind}: refused after {connection.received_bytes:,} bytes, the bound being "
        f"{limits.max_message:,} and a read {READ:,}; {peak:,} bytes of memory at the peak"
    )


KINDS = [garbage.random_bytes, garbage.not_text, garbage.endless_line, garbage.huge_length]
SPLITS = ("whole", "byte by byte", "at random")


def pieces(source: random.Random, data: bytes, split: str) -> list[bytes]:
    if split == "whole":
        return [data]
    if split == "byte by byte":
        return [data[index : index + 1] for index in range(len(data))]
    cuts = sorted(source.randrange(len(data) + 1) for _ in range(3))
    return [data[a:b] for a, b in zip([0, *cuts], [*cuts, len(data)], strict=True)]


@pytest.mark.row("garbage, invalid UTF-8")
@pytest.mark.timeout(400)
def test_no_decoder_knows_another_exception_and_every_split_ends_alike(
    figure: Callable[[str], None],
) -> None:
    inputs, source, refused = size(1_000_000, 30_000), random.Random(7), 0
    framings: tuple[Any, ...] = (Lines(), Lines("ascii"), LengthPrefixed())
    for number in range(inputs):
        data = KINDS[number % len(KINDS)](source, source.randrange(5, 40))
        framing = framings[number % len(framings)]
        outcomes = []
        for split in SPLITS:
            decoder, messages, fault = framing.decoder(max_message=32), [], None
            try:
                for piece in pieces(source, data, split):
                    messages += decoder.feed(piece)
            except ProtocolError as error:
                messages += error.messages
                fault = type(error)
            outcomes.append((messages, fault))
        assert outcomes[0] == outcomes[1] == outcomes[2], data
        refused += outcomes[0][1] is not None
    assert refused > inputs / 4
    figure(
        f"{inputs:,} inputs, each whole, byte by byte and at random: {refused:,} refused, "
        "all alike, no other exception"
    )


@pytest.mark.row("garbage, invalid UTF-8")
@pytest.mark.usefixtures("at_full_speed")
def test_garbage_ends_its_sender_and_no_other_notices(figure: Callable[[str], None]) -> None:
    count, source, notes = size(5_000, 600), random.Random(8), Notes(echo)
    with (
        Server(**notes.callbacks, limits=Limits(max_message=32)) as server,
        Client(server.address) as neighbour,
    ):
        server.wait_for_clients(1)
        for number in range(count):
            data = KINDS[number % len(KINDS)](source, source.randrange(40, 200))
            with dial(server.address) as raw:
                try:
                    for piece in pieces(source, data, SPLITS[number % len(SPLITS)]):
                        raw.sendall(piece)
                    raw.shutdown(socket.SHUT_WR)
                except OSError:  # it was shown the door already
                    pass
                read_until_gone(raw)
            neighbour.send(str(number))
            assert neighbour.recv() == str(number)
        until(lambda: len(notes.ends) == count)
    ends = notes.ends[:count]
    allowed = {Reason.PROTOCOL_ERROR, Reason.CLOSED, Reason.RESET}
    assert set(ends) <= allowed
    assert ends.count(Reason.PROTOCOL_ERROR) > count / 2
    figure(
        f"{count:,} senders, {ends.count(Reason.PROTOCOL_ERROR):,} of them PROTOCOL_ERROR; "
        f"the neighbour lost 0 of {count:,} echoes meanwhile"
    )


OUT_OF_DESCRIPTORS = """
    import json, logging, os, resource, socket, time
    from sockkit import Server

    records = []
    handler = logging.Handler()
    handler.emit = lambda record: records.append(record.levelname)
    logging.getLogger("sockkit").addHandler(handler)

    def until(condition):
        while not condition():
            time.sleep(0.002)

    def talk(raw):
        raw.sendall(b"hello\\n")
        assert raw.recv(100) == b"hello\\n"

    server = Server(lambda connection, text: connection.send(text)).start()
    first = socket.create_connection(server.address, timeout=20)
    server.wait_for_clients(1)
    relief, load, served = [], [], 0
    for episode in range(1, EPISODES + 1):
        here = len(server.clients)
        waiting = [socket.socket() for _ in range(20)]
        spare = os.open(os.devnull, os.O_RDONLY)
        resource.setrlimit(resource.RLIMIT_NOFILE, (spare, 5000))
        for raw in waiting:
            raw.settimeout(20)
            raw.connect(server.address)
        until(lambda: len(records) == 2 * episode - 1)
        used, began = time.process_time(), time.monotonic()
        time.sleep(1.2)
        load.append((time.process_time() - used) / (time.monotonic() - began))
        for _ in range(100):
            talk(first)
            served += 1
        assert len(server.clients) == here and len(records) == 2 * episode - 1
        resource.setrlimit(resource.RLIMIT_NOFILE, (5000, 5000))
        relieved = time.monotonic()
        server.wait_for_clients(here + 20, timeout=20)
        relief.append(time.monotonic() - relieved)
        for raw in waiting:
            talk(raw)
            raw.close()
        until(lambda: len(server.clients) == 1)
        os.close(spare)
    first.close()
    server.stop()
    print(json.dumps({"relief": max(relief), "load": max(load), "served": served,
                      "records": records}))
"""


@pytest.mark.row("out of file descriptors")
@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no descriptor limit to lower")
def test_out_of_descriptors_the_connected_are_served_on(figure: Callable[[str], None]) -> None:
    episodes = size(10, 3)
    program = textwrap.dedent(OUT_OF_DESCRIPTORS).replace("EPISODES", str(episodes))
    command = [sys.executable, "-X", "dev", "-W", "error", "-c", program]
    done = subprocess.run(command, capture_output=True, text=True, timeout=50, cwd=ROOT)
    assert (done.returncode, complaints(done)) == (0, [])
    told = json.loads(done.stdout)
    assert told["records"] == ["ERROR", "WARNING"] * episodes
    assert told["served"] == 100 * episodes
    figure(
        f"{episodes} episodes, one record each; accepting {told['relief']:.2f} s after relief; "
        f"{told['load']:.1%} CPU meanwhile; {told['served']:,} echoes in it"
    )
    bound(told["load"] < 0.05, f"{told['load']:.1%} CPU while out of descriptors")
    bound(told["relief"] < 1.5, f"accepting only {told['relief']:.2f} s after relief")


@pytest.mark.row("too many clients")
def test_the_bound_holds_and_who_is_refused_uses_no_number(
    figure: Callable[[str], None], log: pytest.LogCaptureFixture
) -> None:
    allowed, extra, threads, most = 100, 500, 10, 0

    def on_connect(connection: Connection) -> None:
        nonlocal most
        most = max(most, len(server.clients))

    server = Server(echo, on_connect=on_connect, limits=Limits(max_clients=allowed))
    records = list[Any]()
    with server:
        server.observe(records.append)
        raws: list[socket.socket] = []

        def connect() -> None:
            for _ in range((allowed + extra) // threads):
                raws.append(dial(server.address))

        connecting = [threading.Thread(target=connect) for _ in range(threads)]
        for thread in connecting:
            thread.start()
        for thread in connecting:
            thread.join()
        until(lambda: sum(type(record).__name__ == "Refused" for record in records) == extra)
        inside = {connection.address for connection in server.clients.values()}
        assert list(server.clients) == list(range(1, allowed + 1))
        told = sum(
            read_until_gone(raw) == b"the server is full\n"
            for raw in raws
            if raw.getsockname() not in inside
        )
        for raw in raws:
            raw.close()
        until(lambda: not server.clients)
        with dial(server.address) as raw:
            assert list(server.wait_for_clients(1)) == [allowed + 1]
            raw.shutdown(socket.SHUT_WR)
            assert read_to_end(raw) == b""
    assert (most, told) == (allowed, extra)
    figure(f"{told} of {extra} told so; never more than {most} of {allowed}; 0 numbers used up")
