"""Which thread or task did what, in the order in which they did it."""

import asyncio
import threading

import pytest

from sockkit.widgets import ThreadLanes


def in_thread(name: str, function: object) -> None:
    thread = threading.Thread(target=function, name=name)  # type: ignore[arg-type]
    thread.start()
    thread.join()


def test_nothing_yet() -> None:
    assert ThreadLanes().to_text() == "nothing was marked"


def test_each_thread_has_its_lane() -> None:
    lanes = ThreadLanes()
    lanes.mark("first")
    in_thread("helper", lambda: lanes.mark("second"))
    lanes.mark("third")
    assert lanes.to_text() == "MainThread: first\nhelper: second\nMainThread: third"


def test_each_task_has_its_lane_with_a_number_of_its_own() -> None:
    lanes = ThreadLanes()

    async def work() -> None:
        with lanes.span("work"):
            await asyncio.sleep(0)

    async def main() -> None:
        await asyncio.gather(work(), work(), asyncio.create_task(work(), name="named"))

    asyncio.run(main())
    assert lanes.to_text().splitlines() == [
        "MainThread · named: work begins",  # made before gather makes the others
        "MainThread · task 1: work begins",
        "MainThread · task 2: work begins",
        "MainThread · named: work ends",
        "MainThread · task 1: work ends",
        "MainThread · task 2: work ends",
    ]


def test_a_watched_function_does_what_it_did() -> None:
    lanes = ThreadLanes()

    @lanes.watch
    def double(x: int, *, plus: int = 0) -> int:
        return 2 * x + plus

    assert double(3, plus=1) == 7
    assert double.__name__ == "double"
    assert lanes.to_text() == "MainThread: double begins\nMainThread: double ends"


def test_a_watched_coroutine_function_stays_one() -> None:
    lanes = ThreadLanes()

    @lanes.watch
    async def double(x: int) -> int:
        await asyncio.sleep(0)
        return 2 * x

    assert asyncio.iscoroutinefunction(double)
    assert asyncio.run(double(4)) == 8
    assert lanes.to_text().count("double ends") == 1


def test_an_exception_ends_the_span_and_goes_on() -> None:
    lanes = ThreadLanes()
    with pytest.raises(ZeroDivisionError), lanes.span("divide"):
        1 / 0  # noqa: B018
    assert lanes.to_text().endswith("divide ends")


def test_marks_of_many_threads_are_all_there_and_in_order() -> None:
    lanes = ThreadLanes(keep=10_000)
    threads = [
        threading.Thread(target=lambda: [lanes.mark(str(i)) for i in range(500)]) for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert "1,900 older ones left out" in lanes.caption()


def test_a_picture_with_a_bar_for_each_span() -> None:
    lanes = ThreadLanes()
    with lanes.span("outer"), lanes.span("inner"):
        lanes.mark("moment")
    svg = lanes.to_svg()
    assert svg.count('class="even"') == 2
    assert ">moment<" in svg


def test_clear() -> None:
    lanes = ThreadLanes()
    lanes.mark("before")
    version = lanes.version()
    lanes.clear()
    assert lanes.to_text() == "nothing was marked"
    assert lanes.version() != version
