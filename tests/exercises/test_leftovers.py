"""What is new is the learner's, but for what the notebook's kernel makes for itself meanwhile."""

import asyncio
import dataclasses
import threading
from collections.abc import Iterator

import pytest
from ipykernel.thread import BaseThread

from sockkit import Server
from sockkit.exercises import nb01
from sockkit.exercises.leftovers import Before

from ..waiting import until


@pytest.fixture
def begun() -> Iterator[list[BaseThread]]:
    """Threads to be stopped after the test."""
    threads: list[BaseThread] = []
    yield threads
    for thread in threads:
        thread.stop()
        thread.join()


def kernels_thread(begun: list[BaseThread]) -> BaseThread:
    """A thread as the kernel starts it when a page shows its first widget."""
    thread = BaseThread(name="subshell", daemon=True)
    thread.start()
    begun.append(thread)
    return thread


def test_threads_and_sockets_of_the_kernel_do_not_count(begun: list[BaseThread]) -> None:
    before = Before()
    kernels_thread(begun)
    assert before.new_threads() == []
    assert before.new_sockets() == []


def test_a_loop_and_a_thread_of_ones_own_count_beside_them(begun: list[BaseThread]) -> None:
    before, leave = Before(), threading.Event()
    kernels_thread(begun)
    loop, thread = asyncio.new_event_loop(), threading.Thread(target=leave.wait)
    thread.start()
    try:
        assert before.new_threads() == [thread]
        assert len(before.new_sockets()) == 2
    finally:
        leave.set()
        thread.join()
        loop.close()


def test_a_right_answer_stays_right_while_the_kernel_starts_a_thread(
    begun: list[BaseThread],
) -> None:
    def echo(connection):
        if not begun:
            kernels_thread(begun)
        while data := connection.recv(100):
            connection.sendall(data)

    verdict = nb01.echo.check(echo)
    assert verdict, verdict
    answered = threading.Event()
    begun[0].io_loop.add_callback(answered.set)  # its loop still works
    until(answered.is_set)


def test_a_server_that_no_set_can_hold_disturbs_no_check() -> None:
    @dataclasses.dataclass
    class Named(Server):
        title: str = "mine"

        def __post_init__(self) -> None:
            super().__init__()

    named = Named()
    with pytest.raises(TypeError, match="unhashable"):
        hash(named)
    before = Before()
    another = Named()
    assert before.made().servers() == []
    assert not another.running
