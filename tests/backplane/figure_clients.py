"""Thousands of clients that check what they get: `… figure_clients EACH SAMPLED HOST:PORT …`.

A few clients of each server, the sampled ones, read at once and look at every message. The others
are read a few times a second, which leaves the processors to the servers; of them only length and
checksum are kept. The stream of a server is the same for all of its clients, so who has the sums of
a sampled client has got each message once and in order if that one has.

It says `connected`, reads until a line comes on its stdin and then until all is quiet, and tells
what was seen as JSON.
"""

import json
import select
import socket
import sys
import time
import zlib
from collections.abc import Iterator
from typing import Any

ROUND = 0.25  # seconds within which all are read
AT_ONCE = 25  # that are read before the sampled ones are looked at again
QUIET = 1.0  # seconds


class Stream:
    """One client, and what came to it."""

    def __init__(self, address: tuple[str, int], server: int, sampled: bool) -> None:
        self.socket = socket.create_connection(address, timeout=30)
        self.socket.setblocking(False)
        self.server = server
        self.sampled = sampled
        self.size = self.sum = 0
        self.pieces: list[tuple[int, bytes]] = []  # of a sampled one, with the times of arrival

    def read(self) -> int:
        """Take what is there; return how much it was."""
        try:
            data = self.socket.recv(1 << 18)
        except (BlockingIOError, ConnectionError):
            return 0
        if self.sampled and data:
            self.pieces.append((time.monotonic_ns(), data))
        self.size += len(data)
        self.sum = zlib.crc32(data, self.sum)
        return len(data)

    def messages(self) -> Iterator[tuple[str, int, int, int]]:
        """Of a sampled one: who sent it, the serial, when it was sent, when it was here."""
        rest = b""
        for at, data in self.pieces:
            *lines, rest = (rest + data).split(b"\n")
            for line in lines:
                sender, serial, sent = line.decode().split()
                yield sender, int(serial), int(sent), at


def main(each: int, sampled: int, addresses: list[str]) -> None:
    streams = []
    step = max(1, each // sampled)  # all over the list: who came first is served first
    for server, text in enumerate(addresses):
        host, port = text.split(":")
        streams += [Stream((host, int(port)), server, n % step == 0) for n in range(each)]
    print("connected", flush=True)
    read_until_told(streams)
    print(json.dumps([seen(server, streams) for server in range(len(addresses))]), flush=True)
    for stream in streams:
        stream.socket.close()


def read_until_told(streams: list[Stream]) -> None:
    prompt = {s.socket.fileno(): s for s in streams if s.sampled}
    others = [s for s in streams if not s.sampled]
    poll = select.poll()
    for number in (*prompt, sys.stdin.fileno()):
        poll.register(number, select.POLLIN)
    told, last, place, due = False, time.monotonic(), 0, time.monotonic()
    while not told or time.monotonic() - last < QUIET:
        some = 0
        for number, _ in poll.poll(2):
            if number in prompt:
                got = prompt[number].read()
                some += got
                if not got:  # its server was killed
                    poll.unregister(number)
            else:
                told = True
                poll.unregister(number)
        if others and time.monotonic() >= due:
            some += sum(stream.read() for stream in others[place : place + AT_ONCE])
            place += AT_ONCE
            due += ROUND * AT_ONCE / len(others)
            if place >= len(others):
                place = 0
        if some:
            last = time.monotonic()


def seen(server: int, streams: list[Stream]) -> dict[str, Any]:
    """What came to the clients of one server."""
    mine = [stream for stream in streams if stream.server == server]
    model = mine[0]
    return {
        "clients": len(mine),
        "alike": sum((s.size, s.sum) == (model.size, model.sum) for s in mine),
        "messages": list(model.messages()),
        "others": [
            [(sender, sent, at) for sender, _, sent, at in stream.messages()]
            for stream in mine
            if stream.sampled and stream is not model
        ],
    }


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]), sys.argv[3:])
