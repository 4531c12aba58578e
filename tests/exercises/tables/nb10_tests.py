"""Tests that learners may write for the chat of lesson 10, and what those are told."""

import socket
import threading
import time
import unittest

from sockkit.exercises import nb10 as ex

from ..table import Table

tests = Table(ex.tests)


@tests.stub
class Blank:
    def numbers(self, join): ...

    def leaving(self, join): ...

    def rooms(self, join): ...


class _Good(ex.tests.model):
    """The model solution, for answers that differ in one place."""


@tests.right
def one_long_story(join):
    with join("Alice") as first, join("Alice") as second, join("Cleo") as cleo:
        for alice in (first, second):
            cleo.say(f"/to {alice.number} a word")
            assert alice.heard() == ["3 Cleo to you: a word"], "one word for each Alice"
            assert alice.who() == ["1 Alice", "2 Alice", "3 Cleo"]
        second.say("/room tea")
        cleo.say("are you still there?")
        assert not second.heard()
        second.say("/room lobby")
        cleo.heard()
        first.leave()
        assert second.heard()[-1] == cleo.heard()[-1] == "* 1 Alice left"
        with join() as fourth:
            assert fourth.number == 4


@tests.right
class EachAlone:
    def a_number_is_used_up(self, join):
        gone, new = join(), None
        gone.leave()
        new = join()
        if new.number == gone.number:
            raise ValueError("the same number")

    async def two_of_a_name(self, join):
        one, two = join("Al"), join("Al")
        two.say("/to 1 psst")
        two.say("/to 2 psst")
        assert len(one.heard()) == len(two.heard()) == 1

    def leaves_in_each_order(self, join):
        for way in ("leave", "crash"):
            people = [join(), join(), join()]
            for place in (0, 1):
                getattr(people[place], way)()
                for other in people[place + 1 :]:
                    assert len(other.heard()) == 1

    def a_room_is_left(self, join):
        ada, ben = join("Ada"), join("Ben")
        ben.say("/room tea")
        ada.say("hello")
        assert "1 Ada: hello" not in ben.heard()


@tests.right
class WithHelpers(_Good):
    """What does not take `join` alone is no test."""

    def rooms(self, join):
        ada, ben, cleo = self._three(join)
        ben.say("/room tea")
        ada.say("hello")
        self.equal(ben.heard(), [])
        self.same(cleo.heard(), self.expected())

    def _three(self, join):
        return join("Ada"), join("Ben"), join("Cleo")

    def expected(self):
        return ["* 2 Ben left", "1 Ada: hello"]

    def equal(self, got, want):
        assert got == want, f"{got}, not {want}"

    @staticmethod
    def same(got, want):
        assert got == want


@tests.right
class InUnittest(unittest.TestCase):
    def numbers(self, join):
        _Good().numbers(join)

    def leaving(self, join):
        ada, ben, cleo = join("Ada"), join("Ben"), join("Cleo")
        ada.leave()
        self.assertEqual(ben.heard(), ["* 1 Ada left"])  # noqa: PT009
        self.assertEqual(cleo.heard(), ["* 1 Ada left"])  # noqa: PT009

    def rooms(self, join):
        _Good().rooms(join)


@tests.wrong("catch 4, and take 1 for sound.*I did not run `rooms`: a test takes `join` alone")
class ForgetsJoin(_Good):
    def rooms(self):
        return "later"


@tests.wrong("`three` returned .*a helper's name begins with `_`")
class AHelperLikeATest(_Good):
    def three(self, join):
        return join("Ada"), join("Ben"), join("Cleo")


@tests.wrong("`rooms` raised AttributeError: .*no attribute 'hear'")
class MistypesAStep(_Good):
    def rooms(self, join):
        assert join("Ada").hear() == []


@tests.wrong("`leaving` raised ConnectionError: client 1 has left")
class AsksWhoHasLeft(_Good):
    def leaving(self, join):
        ada, ben = join("Ada"), join("Ben")
        ada.leave()
        assert ben.heard() == ["* 1 Ada left"]
        assert ada.heard() == []


@tests.wrong("`rooms` let 0.5 s pass on the sound server, each time")
class SleepsALittle(_Good):
    def rooms(self, join):
        time.sleep(0.5)
        super().rooms(join)


@tests.wrong("your thread `waiting` and \\d more like it were still running.*I ended them")
class LeavesAThread(_Good):
    def rooms(self, join):
        super().rooms(join)
        threading.Thread(target=self._wait, name="waiting", daemon=True).start()

    def _wait(self):
        list(iter(lambda: time.sleep(0.01), "its end"))


@tests.wrong("catch 4, and take 1 for sound.*who reads that\\?")
class NobodyComesLater(_Good):
    def numbers(self, join):
        ada, first, second = join("Ada"), join("Alice"), join("Alice")
        ada.say(f"/to {first.number} for the first")
        assert first.heard() == ["1 Ada to you: for the first"]
        assert second.heard() == []


@tests.wrong("catch 4, and take 1 for sound.*write to each of them")
class OnlyTheSecondAlice(_Good):
    def numbers(self, join):
        ada, first, second = join("Ada"), join("Alice"), join("Alice")
        ada.say(f"/to {second.number} for the second")
        assert second.heard() == ["1 Ada to you: for the second"]
        assert first.heard() == []
        first.leave()
        assert join("Cleo").number == 4


@tests.wrong("catch 4, and take 1 for sound.*in whatever order they came")
class TheLastOneLeaves(_Good):
    def leaving(self, join):
        ada, ben = join("Ada"), join("Ben")
        ben.leave()
        assert ada.heard() == ["* 2 Ben left"]
        join("Cleo").crash()
        assert ada.heard() == ["* 3 Cleo left"]


@tests.wrong("take 1 for sound.*In how many ways")
class OnlyCrashes(_Good):
    def leaving(self, join):
        ada, ben, cleo = join("Ada"), join("Ben"), join("Cleo")
        ada.crash()
        assert ben.heard() == cleo.heard() == ["* 1 Ada left"]


@tests.wrong("take 1 for sound.*of the one before")
class OneRoom(_Good):
    def rooms(self, join):
        ada, ben = join("Ada"), join("Ben")
        ada.say("hello")
        assert ben.heard() == ["1 Ada: hello"]


@tests.wrong("catch 0, and take 5 for sound")
class NothingAsserted:
    def talk(self, join):
        ada, ben = join("Ada"), join("Ben")
        ada.say("hello")
        ben.heard() == ["1 Ada: hello"]  # noqa: B015


@tests.wrong("`leaving` refuses a sound server: AssertionError.*who|to whom")
class TellsTheLeaverToo(_Good):
    def leaving(self, join):
        ada = join("Ada")
        ada.say("hello")
        assert ada.heard() == ["1 Ada: hello"]


@tests.wrong("`rooms` raised NameError")
class WithAMistake(_Good):
    def rooms(self, join):
        ada = join("Ada")
        assert ada.heard() == nothing  # noqa: F821


@tests.wrong("`rooms` returned `True`. Nobody looks at that")
class ReturnsIt(_Good):
    def rooms(self, join):
        ada, ben = join("Ada"), join("Ben")
        ada.say("hello")
        return ben.heard() == ["1 Ada: hello"]


@tests.wrong("`rooms` was still running")
class WaitsForEver(_Good):
    def rooms(self, join):
        ada = join("Ada")
        while not ada.heard():
            pass


@tests.wrong("My time was up. Your tests take")
class LooksForAWhile(_Good):
    def rooms(self, join):
        ada, deadline = join("Ada"), time.monotonic() + 1.6
        while time.monotonic() < deadline:
            assert not ada.heard()


@tests.wrong("raised TimeoutError|was still running")
class WaitsForItsOwnWord(_Good):
    def rooms(self, join):
        ada = join("Ada")
        ada.say("hello")
        ada.receive_line()


@tests.wrong("But you left .* open")
class LeavesASocket(_Good):
    def rooms(self, join):
        super().rooms(join)
        LeavesASocket.kept = socket.create_server(("127.0.0.1", 0))


@tests.wrong("`numbers` called `sys.exit`|raised SystemExit")
class GivesUp(_Good):
    def numbers(self, join):
        raise SystemExit("no")
