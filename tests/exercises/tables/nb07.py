"""Answers to the exercises of lesson 07."""

import asyncio
import contextlib
import threading

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


@count.wrong("and waited. `counts` is")
def without_a_wake_up(loop, counts, room):
    def add():
        counts[room] = counts.get(room, 0) + 1

    loop.call_soon(add)


@count.wrong("did not return")
def waits_for_the_answer(loop, counts, room):
    async def add():
        counts[room] = counts.get(room, 0) + 1

    asyncio.run_coroutine_threadsafe(add(), loop).result()


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
