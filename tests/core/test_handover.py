"""Any thread hands work to a loop: in order, with few wake-ups, and never lost in silence."""

import asyncio
import threading

import pytest

from sockkit.errors import ClosedError
from sockkit.handover import Handover
from sockkit.portal import Portal

from ..waiting import turns_until
from .peers import in_a_loop


def test_calls_run_on_the_thread_of_the_loop_in_the_order_of_their_submission() -> None:
    portal = Portal("handover")
    ran: list[tuple[int, int, int]] = []

    async def make() -> Handover:
        return Handover(asyncio.get_running_loop())

    handover = portal.run(make)
    barrier = threading.Barrier(8)

    def submit(thread: int) -> None:
        barrier.wait()
        for number in range(2000):
            handover.submit(lambda n: ran.append((thread, n, threading.get_ident())), number)

    threads = [threading.Thread(target=submit, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    loop_thread = portal.call(threading.get_ident)  # behind everything that was submitted
    portal.stop()
    assert {ident for _, _, ident in ran} == {loop_thread}
    for thread in range(8):
        assert [number for who, number, _ in ran if who == thread] == list(range(2000))


@in_a_loop
async def test_many_calls_need_one_wake_up() -> None:
    loop = asyncio.get_running_loop()
    wake_ups = 0

    class Counting:
        def call_soon_threadsafe(self, call: object) -> None:
            nonlocal wake_ups
            wake_ups += 1
            loop.call_soon_threadsafe(call)  # type: ignore[arg-type]

    handover = Handover(Counting())  # type: ignore[arg-type]
    ran: list[int] = []
    for number in range(1000):
        handover.submit(ran.append, number)
    await asyncio.sleep(0)
    assert ran == list(range(1000))
    assert wake_ups == 1
    handover.submit(ran.append, 1000)
    await asyncio.sleep(0)
    assert wake_ups == 2


@in_a_loop
async def test_a_call_that_fails_is_told_and_stops_no_other() -> None:
    loop = asyncio.get_running_loop()
    told: list[dict[str, object]] = []
    loop.set_exception_handler(lambda _, context: told.append(context))
    handover = Handover(loop)
    ran: list[str] = []
    handover.submit(int, "no number")
    handover.submit(ran.append, "after")
    await asyncio.sleep(0)
    assert ran == ["after"]
    assert "int" in str(told[0]["message"])
    assert isinstance(told[0]["exception"], ValueError)


@in_a_loop
async def test_what_was_taken_before_close_still_runs_and_no_more_is_taken() -> None:
    handover = Handover(asyncio.get_running_loop())
    ran: list[str] = []
    handover.submit(ran.append, "taken")
    handover.close()
    with pytest.raises(ClosedError):
        handover.submit(ran.append, "too late")
    await asyncio.sleep(0)
    assert ran == ["taken"]


def test_a_loop_that_has_closed_meanwhile_is_no_place_to_lose_calls() -> None:
    loop = asyncio.new_event_loop()
    handover = Handover(loop)
    loop.close()
    for _ in range(2):  # not only the call that would have to wake the loop
        with pytest.raises(ClosedError):
            handover.submit(print, "never")


@in_a_loop
async def test_a_finalizer_or_a_signals_handler_may_hand_over_in_the_midst_of_it() -> None:
    loop = asyncio.get_running_loop()
    ran: list[str] = []

    class Interrupting:
        def call_soon_threadsafe(self, call: object) -> None:
            if not ran:
                ran.append("interrupted")
                handover.submit(ran.append, "from inside")
            loop.call_soon_threadsafe(call)  # type: ignore[arg-type]

    handover = Handover(Interrupting())  # type: ignore[arg-type]
    handover.submit(ran.append, "from outside")
    await turns_until(lambda: len(ran) == 3)
    assert ran == ["interrupted", "from inside", "from outside"]
