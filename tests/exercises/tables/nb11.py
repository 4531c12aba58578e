"""Answers to the exercises of lesson 11."""

import contextlib
import heapq
import itertools
import math
import statistics

from sockkit.exercises import nb11 as ex

from ..table import Table

one_room = Table(ex.one_room)


@one_room.stub
def blank_join(server, name, exchange): ...


@one_room.right
class BoundMethods:
    def __new__(cls, server, name, exchange):
        self = super().__new__(cls)
        self.server, self.name, self.exchange = server, name, exchange
        exchange.subscribe(self.hear)
        return self.say

    def hear(self, sender, text):
        if sender == self.name:
            return
        self.server.broadcast(text)

    def say(self, text):
        try:
            self.exchange.publish(self.name, text)
        except ConnectionError:
            pass
        finally:
            self.server.broadcast(text)


@one_room.right
def at_home_only_where_it_is_gone(server, name, exchange):
    exchange.subscribe(lambda sender, text: server.broadcast(text))

    def say(text):
        try:
            exchange.publish(name, text)
        except ConnectionError:
            server.broadcast(text)

    return say


@one_room.right
def to_each_client(server, name, exchange):
    def all_here(text):
        for number in server.clients:
            server.send(number, text)

    def say(text):
        all_here(text)
        with contextlib.suppress(OSError):
            exchange.publish(name, text)

    exchange.subscribe(lambda sender, text: None if sender == name else all_here(text))
    return say


@one_room.wrong(r"`a` said `hello`\. The client of `a` got `hello`, `hello`.*Who hears")
def hears_itself(server, name, exchange):
    exchange.subscribe(lambda sender, text: server.broadcast(text))

    def say(text):
        server.broadcast(text)
        with contextlib.suppress(ConnectionError):
            exchange.publish(name, text)

    return say


@one_room.wrong("was published again.*Where would a word end")
def passes_on_what_it_hears(server, name, exchange):
    def say(text):
        server.broadcast(text)
        exchange.publish(name, text)

    exchange.subscribe(lambda sender, text: say(text) if sender != name else None)
    return say


@one_room.wrong(r"`ok`, and then `ok` again\. The client of `a` got `ok`\.")
def knows_its_own_words_by_their_text(server, name, exchange):
    seen = set()

    def hear(sender, text):
        if text not in seen:
            seen.add(text)
            server.broadcast(text)

    def say(text):
        seen.add(text)
        server.broadcast(text)
        with contextlib.suppress(ConnectionError):
            exchange.publish(name, text)

    exchange.subscribe(hear)
    return say


@one_room.wrong(r"The client of `b` got nothing.*Who hears")
def speaks_and_never_listens(server, name, exchange):
    def say(text):
        server.broadcast(text)
        exchange.publish(name, text)

    return say


@one_room.wrong("raised ConnectionError")
def needs_the_exchange(server, name, exchange):
    def say(text):
        server.broadcast(text)
        exchange.publish(name, text)

    exchange.subscribe(lambda sender, text: sender == name or server.broadcast(text))
    return say


@one_room.wrong("still here`. The client of `a` got nothing.*at home")
def says_nothing_where_it_is_gone(server, name, exchange):
    exchange.subscribe(lambda sender, text: server.broadcast(text))

    def say(text):
        with contextlib.suppress(ConnectionError):
            exchange.publish(name, text)

    return say


@one_room.wrong("You returned `None`.*a function")
def returns_nothing(server, name, exchange):
    exchange.subscribe(lambda sender, text: server.broadcast(text))


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


@presence.wrong("At 102 s you say: .*`7@a`.*Whose list is it")
class KeepsMyList:
    def __init__(self):
        self.told = {}

    def heard(self, server, numbers, now):
        self.told[server] = numbers, now + 3

    def here(self, now):
        return [f"{n}@{s}" for s, (numbers, t) in self.told.items() if now < t for n in numbers]


@presence.wrong("At 102 s you say: `1`, `2`.*another server has given")
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


@presence.wrong("`here` returned `2`")
class CountsThem(TwoDictionaries):
    def here(self, now):
        return 2


fresh = Table(ex.fresh)


@fresh.stub
def blank_fresh(server, serial, last): ...


@fresh.right
def with_max(server, serial, last):
    highest = last.setdefault(server, 0)
    last[server] = max(highest, serial)
    return serial > highest


@fresh.right
def with_all_of_them(server, serial, last):
    seen = last.setdefault(server, [])
    if seen and seen[-1] >= serial:
        return False
    seen.append(serial)
    return True


@fresh.wrong("`a` 1 had come. The next frame was `b` 1.*Whose serial")
def one_count_for_all(server, serial, last):
    if serial <= last.get("last", 0):
        return False
    last["last"] = serial
    return True


@fresh.wrong("The next frame was `a` 3.*What has the client read already")
def never_twice_but_in_any_order(server, serial, last):
    seen = last.setdefault(server, set())
    new = serial not in seen
    seen.add(serial)
    return new


@fresh.wrong("The next frame was `a` 4.*And if 3 is lost")
def waits_for_the_next(server, serial, last):
    if serial != last.get(server, 0) + 1:
        return False
    last[server] = serial
    return True


@fresh.wrong("The next frame was `a` 1. You returned `True`.*Has it come before")
def remembers_nothing(server, serial, last):
    return serial > last.get(server, 0)


@fresh.wrong("The next frame was `a` 1. You returned `True`")
def only_looks_for_going_back(server, serial, last):
    before, last[server] = last.get(server, 0), serial
    return serial >= before


@fresh.wrong("The next frame was `a` 5|The next frame was `a` 1.*You returned `None`")
def forgets_to_say_no(server, serial, last):
    if serial > last.get(server, 0):
        last[server] = serial
        return True


merged = Table(ex.merged)


@merged.stub
def blank_merged(parts, percent): ...


@merged.right
def by_nearest_rank(parts, percent):
    together = sorted(itertools.chain.from_iterable(parts))
    return together[max(0, math.ceil(len(together) * percent / 100) - 1)]


@merged.right
def by_merging_sorted_parts(parts, percent):
    together = list(heapq.merge(*map(sorted, parts)))
    return together[round((len(together) - 1) * percent / 100)]


@merged.right
def by_a_histogram(parts, percent):
    counts = {}
    for latency in itertools.chain(*parts):
        counts[latency] = counts.get(latency, 0) + 1
    left = sum(counts.values()) * percent / 100
    for latency in sorted(counts):
        left -= counts[latency]
        if left <= 0:
            return latency


def percentile(part, percent):
    return by_nearest_rank([part], percent)


@merged.wrong(r"You returned `25\.5`.*mean of the percentiles")
def mean_of_percentiles(parts, percent):
    return statistics.mean(percentile(part, percent) for part in parts if part)


@merged.wrong(r"You returned `50\.0`.*below what you returned")
def the_worst_of_them(parts, percent):
    return max(percentile(part, percent) for part in parts if part)


@merged.wrong(r"You returned `5\.9`")
def weighted_mean(parts, percent):
    count = sum(map(len, parts))
    return sum(percentile(part, percent) * len(part) for part in parts if part) / count


@merged.wrong("my lists are not as they were")
def sorts_mine(parts, percent):
    for part in parts:
        part.sort()
    return by_merging_sorted_parts(parts, percent)


@merged.wrong(r"60 and 40 replies .*You returned `9\.0`")
def of_unsorted(parts, percent):
    together = [latency for part in parts for latency in part]
    return together[(len(together) - 1) * percent // 100]
