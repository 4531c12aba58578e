"""Answers to the exercises of lesson 07."""

import asyncio
import contextlib
import random
import threading
import time
from concurrent.futures import ThreadPoolExecutor

from sockkit.exercises import nb07 as ex

from ..table import Table

order = Table(ex.order)

order.stub(...)
order.right("ab")
order.right(["B", "A", "B", "B", "A", "A"])
order.right("A, A, B, A")
order.wrong("in the order `AAABBB`. A was told 1, and B 2")("AAABBB")
order.wrong("A was told 2, and B 1")("BBBAAA")
order.wrong("order `A`, and then the lines that you left out. A was told 1, and B 2")("A")
order.wrong("I found `C`")("ABC")
order.wrong("4 times A")("AAAABB")
order.wrong("I found `1`")([1, 2, 1])
order.wrong("of type `int`")(12)


join = Table(ex.join)
_lock = threading.Lock()
_again = threading.RLock()
_kept = threading.Lock()


@join.stub
def blank(room, name): ...


@join.right
def with_acquire(room, name):
    room.lock.acquire()
    try:
        number = room.count + 1
        room.names[number] = name
        room.count = number
        return number
    finally:
        room.lock.release()


@join.right
def with_a_lock_of_its_own(room, name):
    with _lock:
        room.count = number = room.count + 1
    room.names[number] = name
    return number


@join.right
def with_an_rlock(room, name):
    with _again, _again:
        number = room.count = len(room.names) + 1
        room.names[number] = name
    return number


@join.wrong("AttributeError: 'Room' object has no attribute 'clients'")
def takes_another_name(room, name):
    room.clients[1] = name


@join.wrong("It returned `<the room>`")
def returns_the_room(room, name):
    return room


@join.wrong("joined from two threads. `\\w+` was at line \\d+: `\\w.*was told 2, bob 2")
def without_lock(room, name):
    room.count += 1
    number = room.count
    room.names[number] = name
    return number


@join.wrong("joined from two threads.*was told 2")
def each_line_locked(room, name):
    with room.lock:
        room.count += 1
    with room.lock:
        room.names[room.count] = name
    with room.lock:
        return room.count


@join.wrong("joined from two threads")
def a_lock_for_each_call(room, name):
    with threading.Lock():
        room.count += 1
        number = room.count
        room.names[number] = name
        return number


@join.wrong("waits for `room.lock`, which \\w+ took and never gave back")
def gives_nothing_back(room, name):
    room.lock.acquire()
    room.count += 1
    room.names[room.count] = name
    return room.count


@join.wrong("joined from two threads.*`room.lock` is still held.*on every way out")
def gives_it_back_on_one_way_out(room, name):
    room.lock.acquire()
    number = room.count = room.count + 1
    room.names[number] = name
    if number > 1:
        return number
    room.lock.release()
    return number


@join.wrong("waits for ever")
def gives_its_own_lock_never_back(room, name, lock=_kept):
    if lock.locked() and threading.current_thread() is threading.main_thread():
        lock.release()  # from the run before
    lock.acquire()
    room.count += 1
    room.names[room.count] = name
    if threading.current_thread() is threading.main_thread():
        lock.release()
    return room.count


@join.wrong("RuntimeError: you wait for room.lock, which you hold yourself")
def takes_it_twice(room, name):
    with room.lock, room.lock:
        room.count += 1
        room.names[room.count] = name
        return room.count


@join.wrong("coroutine function")
async def as_a_coroutine_function(room, name):
    with room.lock:
        room.count += 1
        room.names[room.count] = name
        return room.count


@join.wrong("joined from two threads")
def reads_before_it_locks(room, name):
    number = room.count + 1
    with room.lock:
        room.count = number
        room.names[number] = name
    return number


@join.wrong("in one thread. It returned `None`")
def returns_nothing(room, name):
    with room.lock:
        room.count += 1
        room.names[room.count] = name


@join.right
def with_a_time_limit(room, name):
    if not room.lock.acquire(timeout=10):
        raise TimeoutError
    try:
        room.count += 1
        room.names[room.count] = name
        return room.count
    finally:
        room.lock.release()


@join.right
def tries_until_it_is_free(room, name):
    while not room.lock.acquire(blocking=False):
        time.sleep(0.001)
    try:
        room.count += 1
        room.names[room.count] = name
        return room.count
    finally:
        room.lock.release()


@join.wrong("`join` raised TimeoutError")
def with_a_time_limit_and_gives_nothing_back(room, name):
    if not room.lock.acquire(timeout=0.1):
        raise TimeoutError
    room.count += 1
    room.names[room.count] = name
    return room.count


@join.wrong("waits for `room.lock`, which \\w+ took and never gave back")
def waits_again_and_again_and_gives_nothing_back(room, name):
    while not room.lock.acquire(timeout=0.1):
        pass
    room.count += 1
    room.names[room.count] = name
    return room.count


@join.wrong("from two threads, one after the other. ann was told 1, bob 1, and .*comes second")
def is_always_the_first(room, name):
    with room.lock:
        room.count = 1
        room.names[1] = name
    return 1


count = Table(ex.count)


@count.stub
def blank_count(loop, counts, room): ...


@count.right
def as_a_coroutine(loop, counts, room):
    async def add():
        counts[room] = counts.get(room, 0) + 1

    asyncio.run_coroutine_threadsafe(add(), loop)


@count.right
def as_invoke_required(loop, counts, room):
    try:
        here = asyncio.get_running_loop() is loop
    except RuntimeError:
        here = False
    if here:
        counts.setdefault(room, 0)
        counts[room] += 1
    else:
        loop.call_soon_threadsafe(as_invoke_required, loop, counts, room)


@count.wrong(
    "What you handed to the loop raised AttributeError: 'Counts' object has no attribute 'value'"
)
def takes_it_for_the_counter(loop, counts, room):
    def add():
        counts.value += 1

    loop.call_soon_threadsafe(add)


@count.wrong("`counts` was touched there")
def in_the_callers_thread(loop, counts, room):
    counts[room] = counts.get(room, 0) + 1


@count.wrong("What you handed to the loop raised KeyError: 'lobby'")
def expects_a_count(loop, counts, room):
    def add():
        counts[room] += 1

    loop.call_soon_threadsafe(add)


@count.wrong("`counts` was touched there")
def with_a_lock(loop, counts, room):
    with _lock:
        counts[room] = counts.get(room, 0) + 1


@count.wrong("`counts` was touched there")
def reads_here_and_writes_there(loop, counts, room):
    loop.call_soon_threadsafe(counts.__setitem__, room, counts.get(room, 0) + 1)


@count.wrong("`counts` was touched there|TypeError")
def calls_instead_of_handing_over(loop, counts, room):
    def add():
        counts[room] = counts.get(room, 0) + 1

    loop.call_soon_threadsafe(add())


@count.right
def waits_for_the_answer_elsewhere(loop, counts, room):
    async def add():
        counts[room] = counts.get(room, 0) + 1

    try:
        asyncio.get_running_loop()
    except RuntimeError:
        asyncio.run_coroutine_threadsafe(add(), loop).result()
    else:
        counts[room] = counts.get(room, 0) + 1


@count.wrong("`counts` was touched there")
def looks_at_the_keys_here(loop, counts, room):
    if room not in counts.keys():  # noqa: SIM118
        loop.call_soon_threadsafe(counts.setdefault, room, 0)
    loop.call_soon_threadsafe(lambda: counts.update({room: counts[room] + 1}))


@count.wrong("`counts` was touched there")
def adds_up_here(loop, counts, room):
    total = sum(counts.values())
    loop.call_soon_threadsafe(lambda: counts.update({room: counts.get(room, 0) + 1}))
    return total


@count.wrong("`counts` was touched there")
def shows_it_here(loop, counts, room):
    loop.call_soon_threadsafe(lambda: counts.update({room: counts.get(room, 0) + 1}))
    return str(counts)


@count.wrong("from other threads, 5 in all.*What does one call add, and to which room")
def leaves_the_room_in_a_global(loop, counts, room):
    global _wanted
    _wanted = room

    def add():
        counts[_wanted] = counts.get(_wanted, 0) + 1

    loop.call_soon_threadsafe(add)


@count.wrong("What you handed to the loop raised KeyError: 'lobby'")
def expects_a_count_in_a_coroutine(loop, counts, room):
    async def add():
        counts[room] += 1

    asyncio.run_coroutine_threadsafe(add(), loop)


@count.wrong("`counts` is `{'lobby': 1, 'garden': 1}`.*What does one call add")
def sets_it_to_one(loop, counts, room):
    loop.call_soon_threadsafe(counts.__setitem__, room, 1)


@count.wrong("`counts` is `{'lobby': 6, 'garden': 4}`.*What does one call add")
def counts_twice(loop, counts, room):
    def add():
        counts[room] = counts.get(room, 0) + 1

    loop.call_soon_threadsafe(add)
    loop.call_soon_threadsafe(add)


@count.wrong("`counts` is `{}`.*Does the loop know that there is something to do")
def hands_nothing_over(loop, counts, room):
    return loop.time() + counts.__sizeof__()


@count.wrong("Non-thread-safe operation invoked on an event loop")
def wakes_it_by_another_call(loop, counts, room):
    def add():
        counts[room] = counts.get(room, 0) + 1

    loop.call_soon(add)
    loop.call_soon_threadsafe(lambda: None)


@count.wrong("Non-thread-safe operation invoked on an event loop")
def without_a_wake_up(loop, counts, room):
    def add():
        counts[room] = counts.get(room, 0) + 1

    loop.call_soon(add)


@count.wrong("did not return")
def waits_for_the_answer(loop, counts, room):
    async def add():
        counts[room] = counts.get(room, 0) + 1

    asyncio.run_coroutine_threadsafe(add(), loop).result()


@count.wrong("`awaited_by_nobody` is a coroutine function.*nobody awaits it.")
async def awaited_by_nobody(loop, counts, room):
    def add():
        counts[room] = counts.get(room, 0) + 1

    loop.call_soon_threadsafe(add)


@count.wrong("`counts` is `{'lobby': 2, 'garden': 2}`.*What does one call add")
def awaits_between_reading_and_writing(loop, counts, room):
    async def add():
        old = counts.get(room, 0)
        await asyncio.sleep(0)
        counts[room] = old + 1

    asyncio.run_coroutine_threadsafe(add(), loop)


@count.wrong("to the loop has not returned: .*time.sleep.*Whom does it keep waiting(?!.*socket)")
def keeps_the_loop_waiting(loop, counts, room):
    def add():
        while room not in counts:
            time.sleep(0.01)
        counts[room] += 1

    loop.call_soon_threadsafe(add)


@count.wrong("RuntimeError")
def runs_the_loop(loop, counts, room):
    async def add():
        counts[room] = counts.get(room, 0) + 1

    coroutine = add()
    try:
        loop.run_until_complete(coroutine)
    finally:
        coroutine.close()


move = Table(ex.move)


@move.stub
def blank_move(name, source, target): ...


@move.right
def by_id(name, source, target):
    locks = sorted({source.lock, target.lock}, key=id)
    with contextlib.ExitStack() as stack:
        for lock in locks:
            stack.enter_context(lock)
        source.people.discard(name)
        target.people.add(name)


@move.right
def one_gate_for_all(name, source, target):
    if source.name == target.name:
        return
    with _lock, source.lock, target.lock:
        target.people.add(name)
        source.people.remove(name)


@move.right
def try_again(name, source, target):
    while source is not target:
        with source.lock:
            if target.lock.acquire(blocking=False):
                try:
                    source.people.remove(name)
                    target.people.add(name)
                    return
                finally:
                    target.lock.release()


@move.right
def try_again_by_name(name, source, target):
    if source.name == target.name:
        return
    while True:
        with source.lock:
            if target.lock.acquire(blocking=False):
                try:
                    source.people.remove(name)
                    target.people.add(name)
                    return
                finally:
                    target.lock.release()


@move.right
def try_again_later(name, source, target):
    if source.lock is target.lock:
        return
    while True:
        with source.lock:
            if target.lock.acquire(blocking=False):
                try:
                    source.people.remove(name)
                    target.people.add(name)
                    return
                finally:
                    target.lock.release()
        time.sleep(random.random() / 100)


@move.right
def try_again_after_a_while(name, source, target):
    if source.name == target.name:
        return
    while True:
        source.lock.acquire()
        if target.lock.acquire(timeout=0.1):
            break
        source.lock.release()
    source.people.remove(name)
    target.people.add(name)
    target.lock.release()
    source.lock.release()


@move.right
def try_both(name, source, target):
    moved = source is target
    while not moved:
        if source.lock.acquire(blocking=False):
            if target.lock.acquire(False):
                source.people.remove(name)
                target.people.add(name)
                moved = True
                target.lock.release()
            source.lock.release()


@move.right
def with_operators(name, source, target):
    if source.name != target.name:
        first, second = sorted([source, target], key=lambda room: room.name)
        with first.lock, second.lock:
            source.people -= {name}
            target.people |= {name}


@move.right
def with_new_sets(name, source, target):
    if source.name != target.name:
        first, second = sorted([source, target], key=lambda room: room.name)
        with first.lock, second.lock:
            source.people = source.people - {name}
            target.people = {*target.people, name}


@move.wrong("touched by one who did not hold its lock")
def with_operators_alone(name, source, target):
    source.people -= {name}
    target.people |= {name}


@move.wrong("touched by one who did not hold its lock")
def with_updates_alone(name, source, target):
    source.people.difference_update({name})
    target.people.update({name})


@move.wrong("touched by one who did not hold its lock")
def with_new_sets_alone(name, source, target):
    source.people = source.people - {name}
    target.people = target.people | {name}


@move.wrong("touched by one who did not hold its lock.*is read and changed under")
def looks_before_it_locks(name, source, target):
    if name not in source.people or source is target:
        return
    first, second = sorted([source, target], key=lambda room: room.name)
    with first.lock, second.lock:
        source.people.remove(name)
        target.people.add(name)


def _in_order(first, second, name, source, target):
    if source is target:
        return
    with first.lock, second.lock:
        source.people.remove(name)
        target.people.add(name)


_THE_OTHERS_WAIT = "waits for `gall\\w+.lock`, which \\w+ has"


@move.wrong(_THE_OTHERS_WAIT)
def by_length(name, source, target):
    first, second = sorted([source, target], key=lambda room: len(room.name))
    _in_order(first, second, name, source, target)


@move.wrong(_THE_OTHERS_WAIT)
def by_initial(name, source, target):
    first, second = sorted([source, target], key=lambda room: room.name[0])
    _in_order(first, second, name, source, target)


@move.wrong(_THE_OTHERS_WAIT)
def the_lobby_first(name, source, target):
    first, second = (target, source) if target.name == "lobby" else (source, target)
    _in_order(first, second, name, source, target)


@move.wrong(_THE_OTHERS_WAIT)
def anns_order(name, source, target):
    first, second = (source, target) if name == "ann" else (target, source)
    _in_order(first, second, name, source, target)


@move.wrong("ann tries again and again to get `garden.lock`, which bob has. bob tries again")
def tries_and_keeps(name, source, target):
    if source is target:
        return
    with source.lock:
        while not target.lock.acquire(blocking=False):
            pass
        source.people.remove(name)
        target.people.add(name)
        target.lock.release()


@move.wrong("again and again to get `\\w+.lock`, which \\w+ has")
def looks_whether_it_is_free(name, source, target):
    if source is target:
        return
    with source.lock:
        while target.lock.locked():
            pass
        with target.lock:
            source.people.remove(name)
            target.people.add(name)


@move.wrong("`move` raised TimeoutError for")
def gives_up(name, source, target):
    if source is target:
        return
    with source.lock:
        if not target.lock.acquire(timeout=5):
            raise TimeoutError
        source.people.remove(name)
        target.people.add(name)
        target.lock.release()


@move.wrong(
    "from the lobby to the lobby. You raised RuntimeError.*lobby.lock, which you hold yourself"
)
def by_name_alone(name, source, target):
    first, second = sorted([source, target], key=lambda room: room.name)
    with first.lock, second.lock:
        source.people.remove(name)
        target.people.add(name)


@move.wrong("still running when I stopped waiting.*lobby to the lobby, and she stays")
def tries_for_ever(name, source, target):
    while True:
        with source.lock:
            if target.lock.acquire(blocking=False):
                try:
                    source.people.remove(name)
                    target.people.add(name)
                    return
                finally:
                    target.lock.release()


@move.wrong(
    "from the lobby to the lobby. In the lobby is `.. *`|from the lobby to the lobby.*in no room"
)
def enters_and_leaves(name, source, target):
    first, second = sorted([source, target], key=lambda room: room.name)
    with contextlib.ExitStack() as stack:
        stack.enter_context(first.lock)
        if second is not first:
            stack.enter_context(second.lock)
        target.people.add(name)
        source.people.remove(name)


@move.wrong("AttributeError: 'Room' object has no attribute 'clients'")
def takes_another_set(name, source, target):
    source.clients.remove(name)


@move.wrong("ann waits for `garden.lock`, which bob has. bob waits for `lobby.lock`, which ann has")
def source_first(name, source, target):
    if source is target:
        return
    with source.lock, target.lock:
        source.people.remove(name)
        target.people.add(name)


@move.wrong("which \\w+ has")
def target_first(name, source, target):
    if source is target:
        return
    with target.lock:
        with source.lock:
            source.people.remove(name)
        target.people.add(name)


@move.wrong("touched by one who did not hold its lock")
def without_locks(name, source, target):
    source.people.remove(name)
    target.people.add(name)


@move.wrong("Both locks were free, and ann was in no room")
def one_after_the_other(name, source, target):
    with source.lock:
        source.people.remove(name)
    with target.lock:
        target.people.add(name)


@move.wrong("touched by one who did not hold its lock")
def only_a_gate(name, source, target):
    with _lock:
        source.people.remove(name)
        target.people.add(name)


@move.wrong("In the lobby is `\\[.*ann.*\\]`|in both")
def forgets_to_leave(name, source, target):
    if source is target:
        return
    first, second = sorted([source, target], key=lambda room: room.name)
    with first.lock, second.lock:
        target.people.add(name)


_pool = ThreadPoolExecutor(max_workers=1)


def _join_there(room, name):
    room.count += 1
    room.names[room.count] = name
    return room.count


@join.right
def through_a_pool_of_one_thread(room, name):
    return _pool.submit(_join_there, room, name).result()


@join.right
def through_the_same_pool_again(room, name):
    return _pool.submit(_join_there, room, name).result()


@join.wrong("But you left a `ThreadPoolExecutor` open")
def through_a_pool_that_it_leaves(room, name):
    with room.lock:
        if not _left:
            _left.append(ThreadPoolExecutor(max_workers=1))
            _left[0].submit(int).result()
    return ex.join.model(room, name)


_left: list[ThreadPoolExecutor] = []
