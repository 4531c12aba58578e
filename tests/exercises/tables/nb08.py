"""Answers to the exercises of lesson 08."""

import asyncio
import contextlib
import select
import socket
import threading
import time
import weakref

from sockkit import Client, Limits, Reason, Server
from sockkit.exercises import nb08 as ex

from ..table import Table

to_all = Table(ex.to_all)


@to_all.stub
def blank(connections, data): ...


@to_all.right
def with_a_new_list(connections, data):
    kept = []
    for connection in connections:
        connection.settimeout(0)
        try:
            if connection.send(data) == len(data):
                kept.append(connection)
                continue
        except OSError:
            pass
        connection.close()
    connections[:] = kept


@to_all.right
def those_who_have_room(connections, data):
    writable = set(select.select([], connections, [], 0)[1])
    for connection in connections.copy():
        connection.setblocking(False)
        if connection not in writable or connection.send(data) < len(data):
            connection.close()
            connections.remove(connection)


class WithTimeout:
    """Waits for each who can't take it, but not for long."""

    def __init__(self, seconds):
        self.__name__ = f"with_{seconds}_s_of_patience".replace(".", "_")
        self._seconds = seconds

    def __call__(self, connections, data):
        for connection in connections.copy():
            connection.settimeout(self._seconds)
            try:
                connection.sendall(data)
            except OSError:
                connections.remove(connection)
                connection.close()


for seconds in (1, 0.2):
    to_all.wrong(r"one sleeper.*took \d.\d\d s for two messages: it waited")(WithTimeout(seconds))
for seconds in (0.01, 0.001):
    to_all.wrong(r"120 sleepers.*took \d.\d\d s for two messages: it waited")(WithTimeout(seconds))


@to_all.wrong("is a coroutine function.*nobody awaits it.*Expected: a plain function")
async def asynchronous(connections, data):
    with_a_new_list(connections, data)


@to_all.wrong("Client 1 reads, and got nothing: its connection was closed.\nExpected: everybody.*")
def closes_all(connections, data):
    while connections:
        connections.pop().close()


@to_all.wrong(
    "Client 1 reads, and got nothing.\nExpected: everybody who reads gets every message.\n\n"
)
def sends_nothing(connections, data):
    del connections[1]


@to_all.wrong("for which everybody has room. Afterwards 3 of four")
def closes_who_has_something_to_read_later(connections, data):
    with_a_new_list(connections, data)
    if len(connections) == 4:
        connections.pop(1).close()


@to_all.wrong("still running when I stopped waiting.*sendall")
def writable_and_then_blocking(connections, data):
    for connection in list(connections):
        if select.select([], [connection], [], 0)[1]:
            connection.sendall(data)
        else:
            connections.remove(connection)
            connection.close()


@to_all.wrong("still running when I stopped waiting.*sendall")
def naive(connections, data):
    for connection in connections:
        connection.sendall(data)


@to_all.wrong("still running when I stopped waiting")
def writable_is_not_room_enough(connections, data):
    for connection in list(connections):
        if select.select([], [connection], [], 0)[1]:
            connection.sendall(data * 1)
        elif not select.select([], [connection], [], 60)[1]:
            connections.remove(connection)


@to_all.wrong("Client 3 reads, and got nothing.*What does a `for` do when the list gets shorter")
def removes_while_it_goes_through(connections, data):
    for connection in connections:
        connection.setblocking(False)
        try:
            whole = connection.send(data) == len(data)
        except BlockingIOError:
            whole = False
        if not whole:
            connections.remove(connection)
            connection.close()


@to_all.wrong("Client 3 reads, and got nothing.*what becomes of all who come after it")
def goes_no_further(connections, data):
    for connection in connections:
        if not _took_it(connection, data):
            connection.close()
            connections.remove(connection)
            break


@to_all.wrong("still in your list")
def lets_it_miss_some(connections, data):
    for connection in connections:
        connection.setblocking(False)
        with contextlib.suppress(BlockingIOError):
            connection.send(data)


@to_all.wrong("had got only a part")
def does_not_count(connections, data):
    for connection in list(connections):
        connection.setblocking(False)
        try:
            connection.send(data)
        except BlockingIOError:
            connections.remove(connection)
            connection.close()


@to_all.wrong("out of your list, but open")
def only_forgets(connections, data):
    for connection in list(connections):
        connection.setblocking(False)
        try:
            whole = connection.send(data) == len(data)
        except BlockingIOError:
            whole = False
        if not whole:
            connections.remove(connection)


@to_all.wrong("raised BlockingIOError")
def knows_no_full_buffer(connections, data):
    for connection in list(connections):
        connection.setblocking(False)
        if connection.send(data) != len(data):
            connection.close()
            connections.remove(connection)


@to_all.wrong("one sleeper whose buffer was full.* Client 3 reads, and got nothing.*come after it")
def gives_up_at_a_full_buffer(connections, data):
    with contextlib.suppress(BlockingIOError):
        knows_no_full_buffer(connections, data)


@to_all.wrong("one sleeper whose buffer was full. After message 2, it is still in your list")
def keeps_who_takes_nothing(connections, data):
    for connection in list(connections):
        connection.setblocking(False)
        taken = len(data)
        with contextlib.suppress(BlockingIOError):
            taken = connection.send(data)
        if taken < len(data):
            connection.close()
            connections.remove(connection)


def _took_it(connection, data):
    connection.setblocking(False)
    try:
        return connection.send(data) == len(data)
    except BlockingIOError:
        return False


def _tries(connection, data):
    connection.setblocking(False)
    for _ in range(20):
        with contextlib.suppress(BlockingIOError):
            return connection.send(data) == len(data)
        time.sleep(0.05)
    return False


@to_all.wrong("one sleeper whose buffer was full.* s for two messages: it waited")
def tries_again(connections, data):
    for connection in list(connections):
        if not _tries(connection, data):
            connection.close()
            connections.remove(connection)


@to_all.wrong("120 sleepers. After message 2, 118 of them are still in your list")
def only_the_last(connections, data):
    slow = None
    for connection in connections:
        if not _took_it(connection, data):
            slow = connection
    if slow:
        slow.close()
        connections.remove(slow)


@to_all.wrong("out of your list, but open")
def only_detaches(connections, data):
    for connection in list(connections):
        if not _took_it(connection, data):
            connection.detach()
            connections.remove(connection)


@to_all.wrong("you called `socket.setdefaulttimeout`")
def for_all_sockets_to_come(connections, data):
    socket.setdefaulttimeout(0)
    with_a_new_list(connections, data)


@to_all.wrong("message 2, of 100,000 bytes. Client 1 reads, and got something else: `message 1 ")
def sends_it_twice(connections, data):
    with_a_new_list(connections, data)
    with_a_new_list(connections, data)


to_who_keeps_up = Table(ex.to_who_keeps_up)


@to_who_keeps_up.stub
def blank_to_who(server, connection, text): ...


@to_who_keeps_up.right
def by_exclusion(server, connection, text):
    slow = [number for number, other in server.clients.items() if other.pending > 20_000]
    server.broadcast(text, exclude=[connection.number, *slow])


@to_who_keeps_up.right
async def asynchronous_and_backwards(server, connection, text):
    for number, other in reversed(server.clients.items()):
        await asyncio.sleep(0)
        if other is not connection and other.pending < 20_001:
            server.send(number, text)


def _with_less(bound):
    def told(server, connection, text):
        for other in server.clients.values():
            if other is not connection and other.pending <= bound:
                other.send(text)

    told.__name__ = f"misses_above_{bound}"
    return told


to_who_keeps_up.wrong(r"It missed message \d+, when only [,\d]+ bytes waited for it")(_with_less(0))
for bound in (2_000, 15_000):
    to_who_keeps_up.wrong("It missed message .*Expected: 20,000 may wait")(_with_less(bound))


@to_who_keeps_up.wrong("Client 3 got `1: +Message 1 .*Expected: the text as it came")
def with_a_number(server, connection, text):
    for other in server.clients.values():
        if other is not connection and other.pending <= 20_000:
            other.send(f"{connection.number}: {text}")


@to_who_keeps_up.wrong("bytes wait for client [24], who is slow")
def all_but_the_sender(server, connection, text):
    server.broadcast(text, exclude=[connection.number])


@to_who_keeps_up.wrong("bytes wait for client [24], who is slow")
def looks_at_the_sender(server, connection, text):
    if connection.pending <= 20_000:
        server.broadcast(text, exclude=[connection.number])


@to_who_keeps_up.wrong("Client 2 is slow. At message .* it was disconnected")
def disconnects(server, connection, text):
    for other in server.clients.values():
        if other.pending > 20_000:
            other.close()
        elif other is not connection:
            other.send(text)


@to_who_keeps_up.wrong("reads, and got nothing.*Whose `pending`")
def nobody_if_one_is_slow(server, connection, text):
    if all(other.pending <= 20_000 for other in server.clients.values()):
        server.broadcast(text, exclude=[connection.number])


@to_who_keeps_up.wrong("got its own message back")
def the_sender_too(server, connection, text):
    for other in server.clients.values():
        if other.pending <= 20_000:
            other.send(text)


def _keeps_up(other):
    return other.pending <= 20_000


@to_who_keeps_up.wrong("Client 1 reads, and got nothing.*Who is to get it")
def all_but_the_first(server, connection, text):
    for number, other in server.clients.items():
        if number != 1 and _keeps_up(other):
            other.send(text)


@to_who_keeps_up.wrong("Client 5 reads, and got nothing.*Client 5 came later")
def those_of_the_first_message(server, connection, text):
    if server not in first_clients:
        first_clients[server] = server.clients
    for other in first_clients[server].values():
        if other is not connection and _keeps_up(other):
            other.send(text)


first_clients = weakref.WeakKeyDictionary()


@to_who_keeps_up.wrong("bytes wait for client [24], who is slow")
def without_the_slowest(server, connection, text):
    slowest = max(server.clients.values(), key=lambda other: other.pending)
    for other in server.clients.values():
        if other is not connection and (other is not slowest or _keeps_up(other)):
            other.send(text)


@to_who_keeps_up.wrong("Client 2 said message .* Client 1 reads, and got nothing.*May it not speak")
def not_from_the_slow(server, connection, text):
    if _keeps_up(connection):
        by_exclusion(server, connection, text)


@to_who_keeps_up.wrong(r"Client [24] is slow. It missed message \d+, when only 1")
def only_who_has_read_it_all(server, connection, text):
    for other in server.clients.values():
        if other.pending > 20_000:
            other.state.behind = True
        elif not other.pending:
            other.state.behind = False
        if other is not connection and not getattr(other.state, "behind", False):
            other.send(text)


@to_who_keeps_up.wrong("Client 3 reads, and got nothing.*May nobody say the same twice")
def nothing_twice(server, connection, text):
    if text != getattr(connection.state, "last", None):
        by_exclusion(server, connection, text)
    connection.state.last = text


@to_who_keeps_up.wrong("Client 3 got `Message 1 .*its spaces and its capitals")
def tidied(server, connection, text):
    by_exclusion(server, connection, text.strip())


@to_who_keeps_up.wrong("Client 1 said message 3. Client 3 got `  Message 1 .*again")
def twice(server, connection, text):
    by_exclusion(server, connection, text)
    by_exclusion(server, connection, text)


@to_who_keeps_up.wrong("reads, and got nothing.*Whose `pending`")
def those_before_the_first_slow_one(server, connection, text):
    for _, other in sorted(server.clients.items(), reverse=True):
        if not _keeps_up(other):
            break
        if other is not connection:
            other.send(text)


@to_who_keeps_up.wrong(r"All others waited \d+ ms or longer for each message")
async def gives_them_a_moment(server, connection, text):
    for other in server.clients.values():
        if not _keeps_up(other):
            await asyncio.sleep(0.05)
        if other is not connection and _keeps_up(other):
            other.send(text)


@to_who_keeps_up.wrong("and got nothing: your handler has not come to its end.*does it wait")
async def waits_for_the_slow(server, connection, text):
    for other in server.clients.values():
        while not _keeps_up(other):
            await asyncio.sleep(0.01)
        if other is not connection:
            other.send(text)


strict_server = Table(ex.strict_server)


@strict_server.stub
def blank_server(gone): ...


@strict_server.right
def with_a_lambda(gone):
    strict = Limits(max_pending=50_000, idle_timeout=60)
    return Server(limits=strict, on_disconnect=lambda who, why: gone(who.number, why))


@strict_server.right
def already_started(gone):
    class Strict(Server):
        pass

    async def left(connection, reason):
        gone(connection.number, reason)

    return Strict(on_disconnect=left, limits=Limits(max_pending=50_000)).start()


@strict_server.right
def with_its_text(gone):
    return _strict(lambda who, why: gone(who.number, why.value))


def _strict(on_disconnect=None, bound=50_000):
    return Server(on_disconnect=on_disconnect, limits=Limits(max_pending=bound))


@strict_server.wrong("bytes waited for it")
def no_limits(gone):
    return Server(on_disconnect=lambda who, why: gone(who.number, why))


@strict_server.wrong("bytes waited for it")
def the_other_bound(gone):
    limits = Limits(max_message=50_000)
    return Server(on_disconnect=lambda who, why: gone(who.number, why), limits=limits)


@strict_server.wrong("You called `gone\\(<Connection 2")
def hands_the_callback_over(gone):
    return _strict(gone)


@strict_server.wrong("You called nothing")
def tells_nobody(gone):
    return _strict()


@strict_server.wrong("You called nothing.*lambda> failed for client 2.*AttributeError: .*numbr")
def mistypes_the_number(gone):
    return _strict(lambda who, why: gone(who.numbr, why))


@strict_server.wrong("You called nothing.*failed for client 2.*takes 1 positional argument but 2")
def takes_the_reason_alone(gone):
    return _strict(lambda why: gone(2, why))


@strict_server.wrong("bytes waited for it.\\sExpected: 50,000 may wait")
def much_too_strict(gone):
    return _strict(lambda who, why: gone(who.number, why), 5_000)


def _about(bound):
    def about(gone):
        return _strict(lambda who, why: gone(who.number, why), bound)

    about.__name__ = f"bound_of_{bound}"
    return about


for bound in (49_999, 50_001, 50 * 1024):
    strict_server.wrong(f"max_pending` is {bound:,}.\\sExpected: 50,000")(_about(bound))


@strict_server.wrong(r"Client 3 reset its connection. You called .*`gone\(1, closed\)`\.\s")
def tells_of_two_reasons(gone):
    def left(connection, reason):
        if reason in (Reason.TOO_SLOW, Reason.CLOSED):
            gone(connection.number, reason)

    return _strict(left)


@strict_server.wrong("Client 5 was there when I stopped the server. You called .*4, kicked")
def not_at_the_end(gone):
    def left(connection, reason):
        if reason is not Reason.SERVER_STOPPED:
            gone(connection.number, reason)

    return _strict(left)


@strict_server.wrong("You called `gone\\('2', too slow\\)`.*Expected: `gone\\(2, too slow")
def the_number_as_text(gone):
    return _strict(lambda who, why: gone(str(who.number), why))


@strict_server.wrong("is a coroutine function.*Expected: a plain function")
async def a_coroutine_function(gone):
    return with_a_lambda(gone)


@strict_server.wrong("Client 3 was too slow. You called nothing")
def used_before(gone):
    server = _strict()
    with server, Client(server.address):
        server.wait_for_clients(1)
    return server


@strict_server.wrong("You returned `<Limits|You returned `Limits")
def only_the_limits(gone):
    return Limits(max_pending=50_000)


in_step = Table(ex.in_step)

AHEAD = "stood still for .* so the kit gave it the next one, `quick"


@in_step.stub
async def blank_step(connection, text, work): ...


@in_step.right
async def with_a_task_it_waits_for(connection, text, work):
    task = asyncio.create_task(work(text))
    connection.send(await task)


@in_step.right
def a_plain_function(connection, text, work):
    async def answered():
        result = await work(text)
        connection.send(result)

    return answered()


@in_step.wrong(AHEAD)
async def a_task_for_each(connection, text, work):
    async def answer():
        connection.send(await work(text))

    a_task_for_each.tasks.add(asyncio.create_task(answer()))


a_task_for_each.tasks = set()


@in_step.wrong("raised TypeError|never been awaited")
async def forgets_to_await(connection, text, work):
    connection.send(work(text))


one_for_all = asyncio.Lock()


@in_step.wrong("`work` ran for `slow 1` alone")
async def one_at_a_time(connection, text, work):
    async with one_for_all:
        connection.send(await work(text))


@in_step.wrong("I said `hello`, `work` returned `HELLO, 1`, and I got `hello`")
async def sends_what_came(connection, text, work):
    await work(text)
    connection.send(text)


@in_step.wrong(
    "`work` returned `HELLO, 1`, and nothing was sent.*What a handler returns does not go"
)
async def returns_it(connection, text, work):
    return await work(text)


@in_step.wrong("I said `hello`, I got `HELLO`, and `work` did not run")
async def does_the_work_itself(connection, text, work):
    connection.send(text.upper())


@in_step.wrong("I said `hello`, nothing was sent, and `work` did not run.*Which word runs")
async def calls_and_forgets(connection, text, work):
    work(text)


@in_step.wrong(
    "Client 1 had said `quick 2`; `work` returned `QUICK 2, \\d` for it, and the client got nothing"
)
async def soon_tires(connection, text, work):
    connection.state.answers = getattr(connection.state, "answers", 0) + 1
    answer = await work(text)
    if connection.state.answers < 3:
        connection.send(answer)


@in_step.wrong("I said `hello`, got `HELLO, 1`, and then you closed the connection")
async def closes_after_the_first(connection, text, work):
    connection.send(await work(text))
    connection.close()


@in_step.wrong("raised TypeError: object NoneType.*it stays open, for the next message")
async def awaits_the_send(connection, text, work):
    await connection.send(await work(text))


@in_step.wrong("RuntimeError")
def a_loop_in_the_loop(connection, text, work):
    connection.send(asyncio.run(work(text)))


@in_step.right
async def after_a_pause(connection, text, work):
    await asyncio.sleep(0.1)
    connection.send(await work(text))
    await asyncio.sleep(0.02)


@in_step.right
async def asks_again_whether_it_is_done(connection, text, work):
    task = asyncio.create_task(work(text))
    while not task.done():
        await asyncio.sleep(0.01)
    connection.send(task.result())


async def _answer(connection, text, work):
    connection.send(await work(text))


def _few_tasks(bound):
    async def a_few_tasks(connection, text, work):
        if not hasattr(connection.state, "room"):
            connection.state.room = asyncio.Semaphore(bound)
        await connection.state.room.acquire()
        task = asyncio.create_task(_answer(connection, text, work))
        task.add_done_callback(lambda _: connection.state.room.release())

    a_few_tasks.__name__ = f"at_most_{bound}_tasks"
    return a_few_tasks


for bound in (1, 100):
    in_step.wrong(AHEAD)(_few_tasks(bound))


@in_step.wrong(AHEAD)
async def waits_for_the_one_before(connection, text, work):
    if before := getattr(connection.state, "task", None):
        await before
    connection.state.task = asyncio.create_task(_answer(connection, text, work))


@in_step.wrong(AHEAD)
async def waits_a_moment(connection, text, work):
    await asyncio.wait([asyncio.create_task(_answer(connection, text, work))], timeout=0.05)


@in_step.wrong("raised TimeoutError")
async def with_a_bound_on_time(connection, text, work):
    connection.send(await asyncio.wait_for(work(text), 1))


@in_step.wrong("`work` returned `HELLO, 1`, and I got `HELLO`")
async def answers_by_itself_in_time(connection, text, work):
    await work(text)
    connection.send(text.upper())


@in_step.wrong("I said `hello` once, and `work` ran 2 times")
async def works_twice(connection, text, work):
    await work(text)
    connection.send(await work(text))


@in_step.wrong("I said `hello` once, and got a second answer: `HELLO, 1`")
async def answers_twice(connection, text, work):
    answer = await work(text)
    connection.send(answer)
    connection.send(answer)


two_for_all = asyncio.Semaphore(2)


@in_step.wrong("client 3 said `hello` and got no answer")
async def two_at_a_time(connection, text, work):
    async with two_for_all:
        connection.send(await work(text))


known = {}


@in_step.wrong("client 3 said `hello` and got `HELLO, 1`, and `work` did not run for it")
async def keeps_what_work_returned(connection, text, work):
    if text not in known:
        known[text] = await work(text)
    connection.send(known[text])


first = []


@in_step.wrong("client 3 said `hello` and got no answer; client 1 got `HELLO")
async def answers_the_first_client(connection, text, work):
    first.append(connection)
    first[0].send(await work(text))


@in_step.wrong("`work` ran in another event loop than your handler")
async def in_a_loop_of_its_own(connection, text, work):
    connection.send(await asyncio.to_thread(asyncio.run, work(text)))


def _send_or_drop(connections, connection, data):
    if not _took_it(connection, data):
        connections.remove(connection)
        connection.close()


@to_all.right
def a_thread_for_each_send(connections, data):
    threads = [
        threading.Thread(target=_send_or_drop, args=(connections, connection, data))
        for connection in list(connections)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


class WithPause:
    """Waits a moment after each, whether it took the message or not."""

    def __init__(self, seconds):
        self.__name__ = f"with_{seconds}_s_of_pause".replace(".", "_")
        self._seconds = seconds

    def __call__(self, connections, data):
        for connection in list(connections):
            _send_or_drop(connections, connection, data)
            time.sleep(self._seconds)


for seconds in (0.01, 0.005):
    to_all.wrong(r"sleeper.*took \d.\d\d s for two messages: it waited")(WithPause(seconds))


@to_all.wrong("The sleeper read none, and is still in your list")
def a_thread_that_waits_for_each(connections, data):
    for connection in list(connections):
        threading.Thread(target=connection.sendall, args=(data,), daemon=True).start()
