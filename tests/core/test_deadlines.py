"""Many equal time limits, one timer."""

from collections.abc import Callable
from contextvars import Context

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from sockkit.deadlines import Deadlines

LIMIT = 10.0


class Timer:
    """What `call_at` returns."""

    def __init__(self, when: float, callback: Callable[[], None]) -> None:
        self.when = when
        self.callback = callback
        self.cancelled = False

    def cancel(self) -> None:
        self.cancelled = True


class FakeLoop:
    """A clock that stands still until it is put forward, and timers on it."""

    def __init__(self) -> None:
        self.now = 0.0
        self.timers: list[Timer] = []

    def time(self) -> float:
        return self.now

    def call_at(self, when: float, callback: Callable[[], None], context: Context) -> Timer:
        self.timers.append(Timer(when, callback))
        return self.timers[-1]

    @property
    def waiting(self) -> list[Timer]:
        return [timer for timer in self.timers if not timer.cancelled]

    def advance(self, seconds: float) -> None:
        end = self.now + seconds
        while due := [timer for timer in self.waiting if timer.when <= end]:
            first = min(due, key=lambda timer: timer.when)
            self.timers.remove(first)
            self.now = max(self.now, first.when)
            first.callback()
        self.now = end


def deadlines() -> tuple[FakeLoop, "Deadlines[str]", list[str]]:
    loop, over = FakeLoop(), list[str]()
    return loop, Deadlines(loop, LIMIT, over.append), over  # type: ignore[arg-type]


def test_a_limit_ends_when_its_time_is_over_and_not_before() -> None:
    loop, limits, over = deadlines()
    limits.start("a")
    loop.advance(LIMIT - 0.1)
    assert over == []
    loop.advance(0.1)
    assert over == ["a"]
    assert len(limits) == 0


def test_to_start_again_changes_nothing() -> None:
    loop, limits, over = deadlines()
    limits.start("a")
    loop.advance(9)
    limits.start("a")
    loop.advance(1)
    assert over == ["a"]


def test_to_restart_begins_afresh_behind_the_others() -> None:
    loop, limits, over = deadlines()
    limits.start("a")
    limits.start("b")
    loop.advance(9)
    limits.restart("a")
    loop.advance(1)
    assert over == ["b"]
    loop.advance(9)
    assert over == ["b", "a"]


def test_what_is_stopped_never_ends() -> None:
    loop, limits, over = deadlines()
    limits.start("a")
    limits.stop("a")
    limits.stop("never started")
    loop.advance(100)
    assert over == []
    assert loop.waiting == []


def test_ten_thousand_limits_need_one_timer() -> None:
    loop, limits, over = deadlines()
    for number in range(10_000):
        limits.start(str(number))
    assert len(loop.waiting) == 1
    loop.advance(LIMIT)
    assert len(over) == 10_000


def test_close_ends_all_without_telling() -> None:
    loop, limits, over = deadlines()
    limits.close()
    limits.start("a")
    limits.close()
    loop.advance(100)
    assert over == []
    assert loop.waiting == []


def test_who_expires_may_begin_again_at_once() -> None:
    loop = FakeLoop()
    times: list[float] = []

    def again(key: str) -> None:
        times.append(loop.now)
        limits.start(key)

    limits = Deadlines(loop, LIMIT, again)  # type: ignore[arg-type]
    limits.start("a")
    loop.advance(35)
    assert times == [10, 20, 30]


class AnyOrder(RuleBasedStateMachine):
    """Whatever is started, restarted and stopped, the right ones end at the right time."""

    keys = st.sampled_from("abcd")

    @initialize()
    def begin(self) -> None:
        self.loop, self.limits, self.over = deadlines()
        self.due: dict[str, float] = {}  # what must be true
        self.expected: list[str] = []

    @rule(key=keys)
    def start(self, key: str) -> None:
        self.limits.start(key)
        self.due.setdefault(key, self.loop.now + LIMIT)

    @rule(key=keys)
    def restart(self, key: str) -> None:
        self.limits.restart(key)
        self.due.pop(key, None)
        self.due[key] = self.loop.now + LIMIT

    @rule(key=keys)
    def stop(self, key: str) -> None:
        self.limits.stop(key)
        self.due.pop(key, None)

    @rule(seconds=st.integers(0, 12))
    def advance(self, seconds: int) -> None:
        self.loop.advance(seconds)
        over = [key for key, due in self.due.items() if due <= self.loop.now]
        self.expected += sorted(over, key=self.due.__getitem__)
        for key in over:
            del self.due[key]

    @invariant()
    def the_right_ones_have_ended(self) -> None:
        assert self.over == self.expected
        assert len(self.limits) == len(self.due)
        assert len(self.loop.waiting) <= 1


TestAnyOrder = AnyOrder.TestCase
TestAnyOrder.settings = settings(max_examples=50, stateful_step_count=30)
