"""What the tests of races explore. The child process imports this, so it imports little."""

import gc
import os
import queue
import socket
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any


class Shared:
    """What the threads of these tests share."""

    def __init__(self) -> None:
        self.value = 0
        self.names: dict[str, str] = {}
        self.admitted: list[str] = []
        self.numbers = {1: "a", 2: "b", 3: "c"}
        self.lock = threading.Lock()
        self.event = threading.Event()
        self.queue: queue.Queue[int] = queue.Queue()
        self.ours, self.theirs = socket.socketpair()

    def add(self) -> None:
        self.value += 1

    def add_locked(self) -> None:
        with self.lock:
            self.value += 1

    def add_nested(self) -> None:
        with self.lock:
            self.add_locked()

    def add_many(self) -> None:
        for _ in range(30):
            self.value += 1

    def admit(self) -> None:
        if "bob" not in self.names:
            self.names["bob"] = "here"
            self.admitted.append("bob")

    def hand_on(self) -> None:
        self.add_and_keep(self.admitted.append)

    def add_and_keep(self, call: Callable[[str], None]) -> None:
        self.value += 1
        self.kept = call

    def look_through(self) -> None:
        for _ in self.numbers:
            pass

    def remove(self) -> None:
        del self.numbers[2]

    def swap(self) -> None:
        del self.numbers[2]
        self.numbers[2] = "z"

    def look_up(self) -> None:
        self.numbers[2].upper()

    def put_one(self) -> None:
        self.queue.put(1)

    def put_two(self) -> None:
        self.queue.put(2)

    def send_one(self) -> None:
        self.ours.send(b"1")

    def send_two(self) -> None:
        self.ours.send(b"2")

    def get(self) -> None:
        self.queue.get()

    def wait(self) -> None:
        self.event.wait()

    def fail(self) -> None:
        raise KeyError("bob")

    def compute_for_ever(self) -> None:
        while True:
            pass

    def shout(self) -> None:
        self.value += 1
        print("x" * 1_000_000)


class Litter:
    """Garbage that only a collector finds, and whose end is code that is explored."""

    def __init__(self) -> None:
        self.itself = self
        self.value = 0

    def __del__(self) -> None:
        self.value += 1


class Littered(Shared):
    """What is shared where litter lies about, and a collector comes often."""

    def __init__(self) -> None:
        super().__init__()
        gc.set_threshold(1)
        self.litter = [Litter() for _ in range(100)]

    def add_locked(self) -> None:
        self.litter.clear()
        super().add_locked()


def is_two(shared: Shared) -> bool:
    return shared.value == 2


COUNT = 0
NAMES: dict[str, int] = {}


def begin_count() -> None:
    global COUNT
    COUNT = 0


def count_up(_: Any) -> None:
    global COUNT
    COUNT += 1


def forget_names() -> None:
    NAMES.clear()
    NAMES["joined"] = 0


def join_once(_: Any) -> None:
    if "bob" not in NAMES:
        NAMES["bob"] = 1
        NAMES["joined"] += 1


def raising_setup() -> None:
    raise OSError("no port")


async def coroutine(shared: Shared) -> None:
    shared.add()


def by_chance(shared: Shared) -> None:
    shared.value += int.from_bytes(os.urandom(8), "big")


def leave_process(_: Shared) -> None:
    os._exit(3)


def receive(shared: Shared) -> None:
    shared.theirs.recv(1)


def start_a_process(note: Path) -> Shared:
    child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
    note.write_text(str(child.pid))
    return Shared()
