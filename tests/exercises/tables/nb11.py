"""Answers to the exercises of lesson 11."""

import contextlib
import functools
import heapq
import itertools
import math
import queue
import statistics
import threading
import time
from decimal import Decimal
from fractions import Fraction

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


@one_room.right
async def with_an_async_say(server, name, exchange):
    exchange.subscribe(lambda sender, text: sender == name or server.broadcast(text))

    async def say(text):
        server.broadcast(text)
        with contextlib.suppress(ConnectionError):
            exchange.publish(name, text)

    return say


@one_room.wrong(r"`a` said `hello`\. A client of `a` got `hello`, `hello`.*Who hears")
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


@one_room.wrong(r"`ok`, and then `ok` again\. A client of `a` got `ok`\.")
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


@one_room.wrong(r"then `a` said `ok`\. A client of `b` got nothing\..*your own words")
def takes_for_its_own_what_it_has_said_before(server, name, exchange):
    said = set()

    def hear(sender, text):
        if text not in said:
            server.broadcast(text)

    def say(text):
        said.add(text)
        server.broadcast(text)
        with contextlib.suppress(ConnectionError):
            exchange.publish(name, text)

    exchange.subscribe(hear)
    return say


@one_room.wrong(r"`b` said `still here` too\. A client of `a` got nothing.*your own words")
def waits_for_its_own_text_to_come_back(server, name, exchange):
    said = []

    def hear(sender, text):
        if text in said:
            said.remove(text)
        else:
            server.broadcast(text)

    def say(text):
        said.append(text)
        server.broadcast(text)
        with contextlib.suppress(ConnectionError):
            exchange.publish(name, text)

    exchange.subscribe(hear)
    return say


@one_room.wrong(r"`a` said `back`\. A client of `ab` got `still here`, `back`.*is lost")
def says_later_what_was_lost(server, name, exchange):
    waiting = []

    def say(text):
        server.broadcast(text)
        waiting.append(text)
        with contextlib.suppress(ConnectionError):
            while waiting:
                exchange.publish(name, waiting[0])
                del waiting[0]

    exchange.subscribe(lambda sender, text: sender == name or server.broadcast(text))
    return say


@one_room.wrong(r"`say` was still running")
def tries_until_it_is_published(server, name, exchange):
    def say(text):
        server.broadcast(text)
        while True:
            with contextlib.suppress(ConnectionError):
                return exchange.publish(name, text)

    exchange.subscribe(lambda sender, text: sender == name or server.broadcast(text))
    return say


@one_room.wrong(r"`a` said `back`\. A client of `ab` got nothing.*said now is not")
def gives_up_after_an_error(server, name, exchange):
    gone = False

    def say(text):
        nonlocal gone
        server.broadcast(text)
        try:
            if not gone:
                exchange.publish(name, text)
        except ConnectionError:
            gone = True

    exchange.subscribe(lambda sender, text: sender == name or server.broadcast(text))
    return say


@one_room.wrong(r"`a` said `back`\. A client of `ab` got nothing.*said now is not")
def is_silent_until_it_hears_somebody(server, name, exchange):
    gone = False

    def hear(sender, text):
        nonlocal gone
        gone = False
        if sender != name:
            server.broadcast(text)

    def say(text):
        nonlocal gone
        server.broadcast(text)
        try:
            if not gone:
                exchange.publish(name, text)
        except ConnectionError:
            gone = True

    exchange.subscribe(hear)
    return say


def to_these(numbers):
    """An answer that sends to these, instead of a broadcast."""

    def join(server, name, exchange):
        def all_here(text):
            for number in numbers(server):
                server.send(number, text)

        def say(text):
            all_here(text)
            with contextlib.suppress(ConnectionError):
                exchange.publish(name, text)

        exchange.subscribe(lambda sender, text: sender == name or all_here(text))
        return say

    return join


@one_room.wrong("UnknownClient")
def to_number_one(server, name, exchange):
    return to_these(lambda server: [1])(server, name, exchange)


@one_room.wrong("UnknownClient")
def to_as_many_as_there_are(server, name, exchange):
    return to_these(lambda server: range(1, len(server.clients) + 1))(server, name, exchange)


@one_room.wrong(r"A client of `b` got nothing.*Whom do you send to")
def to_those_who_were_here_at_first(server, name, exchange):
    at_first = list(server.clients)
    return to_these(lambda server: at_first)(server, name, exchange)


@one_room.wrong(r"A client of `b` got nothing.*Whom do you send to")
def to_the_first_of_them(server, name, exchange):
    return to_these(lambda server: list(server.clients)[:1])(server, name, exchange)


@one_room.wrong(r"then `ab` said `ok`\. A client of `a` got nothing.*your own words")
def knows_its_own_name_at_the_beginning(server, name, exchange):
    def hear(sender, text):
        if not sender.startswith(name):
            server.broadcast(text)

    def say(text):
        server.broadcast(text)
        with contextlib.suppress(ConnectionError):
            exchange.publish(name, text)

    exchange.subscribe(hear)
    return say


@one_room.wrong(r"said `hello`\. A client of `ab` got nothing")
def is_found_in_the_name(server, name, exchange):
    def say(text):
        server.broadcast(text)
        with contextlib.suppress(ConnectionError):
            exchange.publish(name, text)

    exchange.subscribe(lambda sender, text: sender in name or server.broadcast(text))
    return say


@one_room.wrong("A client of `a` is not connected any more")
def sends_them_away(server, name, exchange):
    def say(text):
        server.broadcast(text)
        exchange.publish(name, text)
        server.disconnect(next(iter(server.clients)))

    exchange.subscribe(lambda sender, text: sender == name or server.broadcast(text))
    return say


@one_room.wrong(r"A client of `ab` got nothing.*Who hears")
def speaks_and_never_listens(server, name, exchange):
    def say(text):
        server.broadcast(text)
        exchange.publish(name, text)

    return say


@one_room.wrong("`say` raised ConnectionError.*Expected: `say` returns. While the exchange is gone")
def needs_the_exchange(server, name, exchange):
    def say(text):
        server.broadcast(text)
        exchange.publish(name, text)

    exchange.subscribe(lambda sender, text: sender == name or server.broadcast(text))
    return say


@one_room.wrong("still here`. A client of `a` got nothing.*at home")
def says_nothing_where_it_is_gone(server, name, exchange):
    exchange.subscribe(lambda sender, text: server.broadcast(text))

    def say(text):
        with contextlib.suppress(ConnectionError):
            exchange.publish(name, text)

    return say


def knowing_by(
    sender, is_own=lambda sender, name: sender == name, published=lambda name, text: text
):
    """An answer that publishes as this sender, and knows its own words by `is_own`."""

    def join(server, name, exchange):
        def say(text):
            server.broadcast(text)
            with contextlib.suppress(ConnectionError):
                exchange.publish(sender(server, name), published(name, text))

        def hear(heard, text):
            if not is_own(heard, sender(server, name)):
                server.broadcast(text)

        exchange.subscribe(hear)
        return say

    return join


def publishing(in_the_background):
    """An answer that hands what it publishes to this function, as a call without arguments."""

    def join(server, name, exchange):
        def publish(text):
            with contextlib.suppress(ConnectionError):
                exchange.publish(name, text)

        def say(text):
            server.broadcast(text)
            in_the_background(functools.partial(publish, text))

        exchange.subscribe(lambda sender, text: sender == name or server.broadcast(text))
        return say

    return join


def in_a_thread(publish):
    threading.Thread(target=publish).start()


@one_room.right
def publishes_in_a_thread(server, name, exchange):
    return publishing(in_a_thread)(server, name, exchange)


@one_room.right
def publishes_a_little_later(server, name, exchange):
    return publishing(lambda publish: threading.Timer(0.02, publish).start())(
        server, name, exchange
    )


@one_room.wrong("Your thread `.*` still runs.*your threads end by themselves")
def publishes_in_a_thread_that_never_ends(server, name, exchange):
    words = queue.SimpleQueue()

    def work():
        while True:
            with contextlib.suppress(queue.Empty):
                words.get(timeout=0.05)()

    threading.Thread(target=work, daemon=True, name=f"worker of {name}").start()
    return publishing(words.put)(server, name, exchange)


@one_room.wrong(r"said `hello`\. A client of `a` got `hello`, `hello`.*Who hears")
def hears_itself_from_a_thread(server, name, exchange):
    def say(text):
        server.broadcast(text)
        in_a_thread(functools.partial(exchange.publish, name, text))

    exchange.subscribe(lambda sender, text: server.broadcast(text))
    return say


@one_room.wrong("was published again|A client of `.*` got `hello`, `hello`")
def passes_on_what_it_hears_in_a_thread(server, name, exchange):
    def say(text):
        server.broadcast(text)
        in_a_thread(functools.partial(exchange.publish, name, text))

    exchange.subscribe(lambda sender, text: say(text) if sender != name else None)
    return say


def trying_again_each(seconds):
    """An answer that publishes in the background what was lost, as soon as that is possible."""

    def join(server, name, exchange):
        def go(text):
            while True:
                for _ in range(round(seconds / 0.1)):  # in between, the thread can be ended
                    time.sleep(0.1)
                with contextlib.suppress(ConnectionError):
                    return exchange.publish(name, text)

        def say(text):
            server.broadcast(text)
            try:
                exchange.publish(name, text)
            except ConnectionError:
                threading.Thread(target=go, args=(text,), daemon=True).start()

        exchange.subscribe(lambda sender, text: sender == name or server.broadcast(text))
        return say

    return join


@one_room.wrong(r"`a` said `back`\. A client of `ab` got `still here`, `back`.*is lost")
def tries_again_in_the_background(server, name, exchange):
    return trying_again_each(0.2)(server, name, exchange)


@one_room.wrong("Your thread `.*` still runs.*can't be published is lost")
def tries_again_for_long(server, name, exchange):
    return trying_again_each(5)(server, name, exchange)  # for longer than the check, in any case


def by_what_goes_on(begin, is_own, end=lambda state: None):
    """An answer that knows its own words by what it is doing when they are heard."""

    def join(server, name, exchange):
        state = {"speaking": False, "skip": 0, "saying": None}

        def say(text):
            server.broadcast(text)
            begin(state, text)
            with contextlib.suppress(ConnectionError):
                exchange.publish(name, text)
            end(state)

        exchange.subscribe(lambda _, text: is_own(state, text) or server.broadcast(text))
        return say

    return join


@one_room.wrong(r"was published\. A client of `a` got `one`, `one`, `two`.*whenever")
def by_a_flag_while_it_speaks(server, name, exchange):
    return by_what_goes_on(
        lambda state, text: state.update(speaking=True),
        lambda state, text: state["speaking"],
        lambda state: state.update(speaking=False),
    )(server, name, exchange)


@one_room.wrong(r"was published\. A client of `b` got `two`, `two`.*whenever")
def by_a_count_of_what_to_skip(server, name, exchange):
    def skipped(state, text):
        state["skip"] -= 1
        return state["skip"] >= 0 or state.update(skip=0)

    return by_what_goes_on(
        lambda state, text: state.update(skip=state["skip"] + 1),
        skipped,
    )(server, name, exchange)


@one_room.wrong(
    "`a` said `hello`. It published `<?.*Server.*`, `'hello'`.*Expected: `'a'`, `'hello'`"
)
def publishes_as_its_server(server, name, exchange):
    return knowing_by(lambda server, name: server)(server, name, exchange)


@one_room.wrong("It published `'a'`, `'a: hello'`")
def with_the_name_in_the_text(server, name, exchange):
    def hear(_, text):
        sender, _, rest = text.partition(": ")
        if sender != name:
            server.broadcast(rest)

    def say(text):
        server.broadcast(text)
        with contextlib.suppress(ConnectionError):
            exchange.publish(name, f"{name}: {text}")

    exchange.subscribe(hear)
    return say


@one_room.wrong("A client of `ab?` got `(hello`, `hello|ok`, `ok)`")
def by_identity(server, name, exchange):
    return knowing_by(lambda server, name: name, lambda one, other: one is other)(
        server, name, exchange
    )


@one_room.wrong(r"none of yours published `from afar`.* A client of `a` got nothing")
def from_friends_only(server, name, exchange):
    FRIENDS.add(name)
    return knowing_by(
        lambda server, name: name, lambda sender, name: sender == name or sender not in FRIENDS
    )(server, name, exchange)


FRIENDS = set()


@one_room.wrong(r"`bb`, which has no client, said `ok`\. A client of `a` got nothing")
def speaks_if_somebody_is_at_home(server, name, exchange):
    def say(text):
        if server.broadcast(text) == 0:
            return
        with contextlib.suppress(ConnectionError):
            exchange.publish(name, text)

    exchange.subscribe(lambda sender, text: sender == name or server.broadcast(text))
    return say


JOINED = set()


@one_room.wrong(r"another exchange.*A client of `ab` got nothing|A client of `ab` got nothing")
def joins_once_a_name(server, name, exchange):
    if name not in JOINED:
        JOINED.add(name)
        return publishing(lambda publish: publish())(server, name, exchange)
    return server.broadcast


@one_room.wrong(r"A client of `a` got `still here`, `\(lost\)`.*the word itself, once")
def says_at_home_that_it_was_lost(server, name, exchange):
    def say(text):
        server.broadcast(text)
        try:
            exchange.publish(name, text)
        except ConnectionError:
            server.broadcast("(lost)")

    exchange.subscribe(lambda sender, text: sender == name or server.broadcast(text))
    return say


@one_room.wrong("'FailingExchange' object has no attribute 'ears'")
def through_the_ears(server, name, exchange):
    exchange.ears.append(lambda sender, text: sender == name or server.broadcast(text))
    return server.broadcast


@one_room.wrong("You returned `None`.*a function")
def returns_nothing(server, name, exchange):
    exchange.subscribe(lambda sender, text: server.broadcast(text))


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


@fresh.right
def says_yes_or_nothing(server, serial, last):
    if serial > last.get(server, 0):
        last[server] = serial
        return True


@fresh.right
def says_how_much(server, serial, last):
    above = max(0, serial - last.get(server, 0))
    last[server] = last.get(server, 0) + above
    return above


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


ELSEWHERE = {}


@fresh.wrong("empty.*Where are your notes")
def with_notes_elsewhere(server, serial, last):
    return with_max(server, serial, ELSEWHERE)


@fresh.wrong("`last` was empty. The next frame was `a` 1. You returned `None`.*What do you return")
def forgets_the_return(server, serial, last):
    with_max(server, serial, last)


@fresh.wrong("`last` was empty. The next frame was `a` 1. You returned `False`.*What do you return")
def notes_before_it_compares(server, serial, last):
    last[server] = serial
    return serial > last[server]


@fresh.wrong("The next frame was `a1` 1. You returned `False`.*Whose serial")
def by_the_first_letter(server, serial, last):
    return with_max(server[0], serial, last)


@fresh.wrong("The next frame was `a1` 1. You returned `False`.*Whose serial")
def by_the_beginning_of_its_notes(server, serial, last):
    seen = [key[1] for key in last if f"{key[0]}{key[1]}".startswith(server)]
    last[server, serial] = True
    return all(serial > each for each in seen)


CLEARED = {}


@fresh.wrong("the dict before.*`a` 3. You returned `True`.*Where are your notes")
def with_notes_elsewhere_until_last_is_empty(server, serial, last):
    if not last:
        CLEARED.clear()
    last["begun"] = True
    return with_max(server, serial, CLEARED)


@fresh.wrong("The next frame was `a` 256. You returned `False`")
def counts_in_a_byte(server, serial, last):
    return with_max(server, serial % 256, last)


class Ambiguous:
    def __bool__(self):
        raise ValueError("the truth value is ambiguous")


@fresh.wrong("`bool` raised ValueError: the truth value is ambiguous")
def says_what_has_no_truth(server, serial, last):
    return Ambiguous()


@fresh.wrong("`a` 1 had come. The next frame was `a` 2. You returned `None`")
def says_no_once_it_has_begun(server, serial, last):
    return with_max(server, serial, last) if server not in last else None


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


@merged.right
def between_two(parts, percent):
    together = sorted([latency for part in parts for latency in part])
    place = (len(together) - 1) * percent / 100
    low, high = together[math.floor(place)], together[math.ceil(place)]
    return low + (high - low) * (place % 1)


def percentile(part, percent):
    return by_nearest_rank([part], percent)


@merged.wrong(r"You returned `26\.0`.*mean of the percentiles")
def mean_of_percentiles(parts, percent):
    return statistics.mean(percentile(part, percent) for part in parts if part)


@merged.wrong(r"You returned `50\.75`.*below what you returned")
def the_worst_of_them(parts, percent):
    return max(percentile(part, percent) for part in parts if part)


@merged.wrong(r"You returned `6\.2`")
def weighted_mean(parts, percent):
    count = sum(map(len, parts))
    return sum(percentile(part, percent) * len(part) for part in parts if part) / count


@merged.wrong("my lists are not as they were")
def sorts_mine(parts, percent):
    for part in parts:
        part.sort()
    return by_merging_sorted_parts(parts, percent)


@merged.wrong(r"60 and 40 replies .*You returned `9\.5`")
def of_unsorted(parts, percent):
    together = [latency for part in parts for latency in part]
    return together[(len(together) - 1) * percent // 100]


@merged.wrong(r"110 and 100 replies .*You returned `1\.25`.*below what you returned")
def percentile_of_repeated_percentiles(parts, percent):
    return percentile([percentile(x, percent) for x in parts if x for _ in x], percent)


@merged.wrong(r"You returned `1`")
def rounded(parts, percent):
    return round(by_nearest_rank(parts, percent))


@merged.wrong(r"You returned `1\.2`")
def nearly(parts, percent):
    return round(by_nearest_rank(parts, percent), 1)


@merged.wrong("You returned `nan`.*is it a number")
def not_a_number(parts, percent):
    return math.nan


@merged.wrong(r"raised IndexError.*`4\.125`. I asked for p100 of 2 and 2 replies")
def without_the_last(parts, percent):
    together = sorted(itertools.chain(*parts))
    return together[int(len(together) * percent / 100)]


@merged.wrong("raised IndexError.*I asked for p100 of 2 and 2 replies")
def with_quantiles(parts, percent):
    return statistics.quantiles(itertools.chain(*parts), n=100)[percent - 1]


@merged.wrong("raised IndexError.*I asked for p50 of 0 and 5 replies")
def of_a_part_without_replies(parts, percent):
    first = [percentile(part, 0) for part in parts]
    return by_nearest_rank(parts, percent) if first else None


@merged.wrong("I asked for p50.*You returned `None`.*is it a number")
def returns_no_number(parts, percent):
    by_nearest_rank(parts, percent)


@merged.wrong("You returned `'1.25'`.*Expected: `1.25`. What you return, is it a number")
def as_a_text(parts, percent):
    return str(by_nearest_rank(parts, percent))


@merged.wrong("You returned `\\[1.25, 50.75\\]`.*is it a number")
def one_for_each_part(parts, percent):
    return [percentile(part, percent) for part in parts]


@merged.right
def as_a_fraction(parts, percent):
    return Fraction(by_nearest_rank(parts, percent))


@merged.right
def as_a_decimal(parts, percent):
    return Decimal(by_nearest_rank(parts, percent))


@merged.wrong("900 and 30 and 70 replies.*You returned `0.*below what you returned")
def merges_weighted_percentiles(parts, percent):
    weighted = sorted(
        (percentile(part, each), len(part) / 100)
        for part in parts
        if part
        for each in range(1, 101)
    )
    left = sum(weight for _, weight in weighted) * percent / 100
    for latency, weight in weighted:
        left -= weight
        if left <= 1e-9:
            return latency


@merged.wrong("900 and 30 and 70 replies.*You returned `0")
def throws_outliers_away(parts, percent):
    together = sorted(itertools.chain(*parts))
    mean, spread = statistics.mean(together), statistics.pstdev(together)
    return percentile([x for x in together if abs(x - mean) <= 3.5 * spread], percent)


@merged.wrong("You returned")
def of_the_first_and_the_last(parts, percent):
    return percentile(parts[0] + parts[-1], percent)


@merged.wrong("You returned")
def of_the_two_largest(parts, percent):
    return by_nearest_rank(sorted(parts, key=len)[-2:], percent)


@merged.wrong("p10 of 2 and 2 replies|2 and 2 replies .*p10.*You returned `4\\.125`")
def wraps_to_the_longest(parts, percent):
    together = sorted(itertools.chain(*parts))
    return together[int(len(together) * percent / 100) - 1]


@merged.wrong("900 and 30 and 70 replies.*You returned `0\\.0")
def in_whole_milliseconds(parts, percent):
    return percentile([round(x, 3) for part in parts for x in part], percent)
