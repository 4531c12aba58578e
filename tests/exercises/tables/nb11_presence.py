"""Answers to the exercise of lesson 11 that asks who is there."""

import itertools
from typing import ClassVar

from sockkit.exercises import nb11 as ex

from ..table import Table

presence = Table(ex.presence)


@presence.stub
class BlankPresence:
    def heard(self, server, numbers, now): ...

    def here(self, now): ...


@presence.right
class TwoDictionaries:
    def __init__(self):
        self.numbers, self.times = {}, {}

    def heard(self, server, numbers, now):
        self.numbers[server] = tuple(numbers)
        self.times[server] = now

    def here(self, now):
        for server in [s for s, time in self.times.items() if now - time >= 3]:
            del self.numbers[server], self.times[server]
        return {f"{n}@{server}" for server, found in self.numbers.items() for n in found}


@presence.right
class ATimeForEachClient:
    def __init__(self):
        self.until = {}

    def heard(self, server, numbers, now):
        self.until = {name: t for name, t in self.until.items() if not name.endswith("@" + server)}
        self.until.update({f"{number}@{server}": now + 3 for number in numbers})

    def here(self, now):
        return (name for name, until in self.until.items() if until > now)


@presence.right
class KeepsTheList:
    def __init__(self):
        self.told = {}

    def heard(self, server, numbers, now):
        self.told[server] = numbers, now

    def here(self, now):
        return [f"{n}@{s}" for s, (numbers, t) in self.told.items() if now < t + 3 for n in numbers]


@presence.right
class KeepsALog:
    def __init__(self):
        self.log = []

    def heard(self, *told):
        self.log.append(told)

    def here(self, now):
        last = {server: (numbers, time) for server, numbers, time in self.log}
        good = {server: numbers for server, (numbers, time) in last.items() if now - time <= 3}
        return itertools.chain(*([f"{n}@{server}" for n in good[server]] for server in good))


@presence.right
class SortsACopy(KeepsTheList):
    def heard(self, server, numbers, now):
        own = numbers.copy()
        own.sort()
        super().heard(server, own, now)


@presence.wrong("At 104.1 s you say: .*`1@b`.*How long ago")
class NeverForgets:
    def __init__(self):
        self.told = {}

    def heard(self, server, numbers, now):
        self.told[server] = list(numbers)

    def here(self, now):
        return [f"{n}@{server}" for server, numbers in self.told.items() for n in numbers]


@presence.wrong("At 102.8 s you say: `1@a`.*add to the one before, or replace it")
class OnlyAdds:
    def __init__(self):
        self.until = {}

    def heard(self, server, numbers, now):
        for number in numbers:
            self.until[f"{number}@{server}"] = now + 3

    def here(self, now):
        return [name for name, until in self.until.items() if now < until]


@presence.wrong("At 100 s you say: `1`, `2`.*`number@server`")
class NumbersAlone:
    def __init__(self):
        self.told = {}

    def heard(self, server, numbers, now):
        self.told[server] = list(numbers), now + 3

    def here(self, now):
        return {str(n) for numbers, until in self.told.values() if now < until for n in numbers}


@presence.wrong("At 104.1 s you say: .*`1@b`")
class ForgetsOnlyWhenItHears:
    def __init__(self):
        self.told = {}

    def heard(self, server, numbers, now):
        self.told = {s: told for s, told in self.told.items() if now < told[1]}
        self.told[server] = list(numbers), now + 3

    def here(self, now):
        return [f"{n}@{s}" for s, (numbers, _) in self.told.items() for n in numbers]


@presence.wrong("At 100 s you say: `1@b`, `2@a`.*another server has given")
class ByNumber:
    def __init__(self):
        self.at = {}

    def heard(self, server, numbers, now):
        self.at |= dict.fromkeys(numbers, (server, now))

    def here(self, now):
        return [f"{n}@{server}" for n, (server, time) in self.at.items() if now < time + 3]


@presence.wrong("At 102.4 s you say: `1@b`.*For how long is a list good")
class GoodForTwo(KeepsTheList):
    def here(self, now):
        return super().here(now + 1)


@presence.wrong("At 100 s you say: nobody.*a list is good for 3 seconds")
class SaysNobody(KeepsTheList):
    def here(self, now):
        return []


@presence.wrong("At 104.1 s you say: .*`1@b`.*How long ago did `b`")
class GoodForFour(KeepsTheList):
    def here(self, now):
        return super().here(now - 1)


@presence.wrong("which has heard nothing.*share their notes|Nobody has said anything")
class OneForAll(KeepsTheList):
    told: ClassVar = {}

    def __init__(self):
        pass


@presence.wrong("I asked the same again.*you say: nobody.*Does asking change")
class ForgetsWhenAsked(KeepsTheList):
    def here(self, now):
        names = super().here(now)
        self.told.clear()
        return names


@presence.wrong("I asked the same again.*you say: nobody.*Does asking change")
class OneGenerator(KeepsTheList):
    def heard(self, *told):
        super().heard(*told)
        self.names = iter(super().here(told[-1]))

    def here(self, now):
        return self.names if self.told else []


@presence.wrong("`here` returned `2`.*a list of names")
class CountsThem(TwoDictionaries):
    def here(self, now):
        return 2


@presence.wrong("There is `\\(.*', .*\\)` in what `here` returned.*text, as in `1@a`")
class Pairs(KeepsTheList):
    def here(self, now):
        return [tuple(name.split("@")) for name in super().here(now)]


@presence.wrong("`here` returned `'1@a, 2@a'`.*a list of names")
class OneText(KeepsTheList):
    def here(self, now):
        return ", ".join(super().here(now)) if self.told else []


@presence.wrong("`here` raised ZeroDivisionError")
class FailsOnTheWay(KeepsTheList):
    def here(self, now):
        yield from super().here(now)
        yield 1 / 0


@presence.wrong("At 100 s you say: `1@a`, .*…")
class NeverEnds(KeepsTheList):
    def here(self, now):
        while self.told:
            yield from super().here(now)


@presence.wrong("You gave me a `HasAnotherName` without `here`")
class HasAnotherName:
    def heard(self, server, numbers, now):
        self.told = {server: numbers}

    def who_is_here(self, now):
        return []


@presence.wrong("`here` was still running")
class NeverBegins(KeepsTheList):
    def here(self, now):
        while True:
            yield from []


@presence.wrong("which has heard nothing.*share their notes|Nobody has said anything")
class StaticMethods:
    @staticmethod
    def heard(server, numbers, now):
        SHARED[server] = list(numbers), now + 3

    @staticmethod
    def here(now):
        return [
            f"{n}@{s}" for s, (numbers, until) in SHARED.items() if now < until for n in numbers
        ]


SHARED = {}


@presence.wrong("At 304 s you say: `.*How long ago did each")
class LetsOneDieAtATime(KeepsTheList):
    def here(self, now):
        for server, (_, time) in self.told.items():
            if now - time > 3:
                del self.told[server]
                break
        return [f"{n}@{server}" for server, (numbers, _) in self.told.items() for n in numbers]


@presence.wrong("At 304 s you say: `.*How long ago did each")
class SkipsTheNext:
    def __init__(self):
        self.told = []

    def heard(self, *told):
        self.told = [entry for entry in self.told if entry[0] != told[0]]
        self.told.append(told)

    def here(self, now):
        for entry in self.told:
            if now - entry[2] > 3:
                self.told.remove(entry)
        return [f"{n}@{server}" for server, numbers, _ in self.told for n in numbers]


class ByTheEndOfTheName:
    def __init__(self):
        self.until = {}

    def of(self, name, server):
        return name.endswith(server)

    def heard(self, server, numbers, now):
        self.until = {name: t for name, t in self.until.items() if not self.of(name, server)}
        self.until.update({f"{number}@{server}": now + 3 for number in numbers})

    def here(self, now):
        return [name for name, until in self.until.items() if now < until]


@presence.wrong("At 300.1 s you say: `12@a`.*`5@ba`.*Whose clients")
class TakesAForBa(ByTheEndOfTheName):
    pass


@presence.wrong("At 300.3 s you say: `12@a`, `3@a`.*Whose clients")
class NumbersOfOneDigit(ByTheEndOfTheName):
    def of(self, name, server):
        return name[2:] == server


@presence.wrong("heard` raised KeyError")
class TwoServers:
    def __init__(self):
        self.told = {"a": ([], 0), "b": ([], 0)}

    def heard(self, server, numbers, now):
        self.told[server][0][:] = numbers
        self.told[server] = self.told[server][0], now

    def here(self, now):
        return [f"{n}@{s}" for s, (numbers, t) in self.told.items() if now - t < 3 for n in numbers]


@presence.wrong("`b` told that nobody is with it.*you say: nobody.*`5@ba`.*Whose clients")
class AnEmptyListClearsAll(KeepsTheList):
    def heard(self, server, numbers, now):
        if numbers == []:
            self.told = {}
        super().heard(server, numbers, now)


@presence.wrong("At 0 s `a` told .* At 1 s you say: nobody")
class TakesZeroForNever:
    def __init__(self):
        self.numbers, self.times = {}, {}

    def heard(self, server, numbers, now):
        self.numbers[server], self.times[server] = numbers, now

    def here(self, now):
        good = [s for s in self.numbers if self.times.get(s) and now - self.times[s] < 3]
        return [f"{n}@{server}" for server in good for n in self.numbers[server]]


@presence.wrong("list that I gave to `heard` is not as it was")
class EmptiesMyList(KeepsTheList):
    def heard(self, server, numbers, now):
        super().heard(server, [numbers.pop(0) for _ in range(len(numbers))], now)


@presence.wrong("the list that you had returned first changed.*a new list")
class TheSameListEachTime(KeepsTheList):
    def __init__(self):
        super().__init__()
        self.names = []

    def here(self, now):
        self.names[:] = super().here(now)
        return self.names


@presence.wrong("At 102.4 s you say: `1@a`, `1@b`, `1@b`.*Somebody is there twice")
class ALogOfAllGoodLists:
    def __init__(self):
        self.log = []

    def heard(self, *told):
        self.log.append(told)

    def here(self, now):
        return [f"{n}@{s}" for s, numbers, time in self.log if now - time < 3 for n in numbers]
