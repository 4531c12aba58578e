"""Answers to the other exercises of lesson 03: the wall, and numbers."""

import asyncio
import contextlib
import errno
import secrets
import threading
import time
from ctypes import c_int16

from sockkit.exercises import nb03 as ex

from ..table import Table

keep_accepting = Table(ex.keep_accepting)


@keep_accepting.stub
def blank_accept(listener, admit): ...


@keep_accepting.right
def whatever_the_error(listener, admit):
    while True:
        try:
            admit(listener.accept()[0])
        except OSError:
            time.sleep(0.05)


@keep_accepting.right
def a_second_between_tries(listener, admit):
    while True:
        try:
            admit(listener.accept()[0])
        except OSError:
            time.sleep(1)


@keep_accepting.right
async def in_a_thread_of_the_pool(listener, admit):
    while True:
        try:
            connection, _ = await asyncio.to_thread(listener.accept)
        except OSError:
            await asyncio.sleep(0.1)
        else:
            admit(connection)


@keep_accepting.right
def in_a_daemon_thread(listener, admit):
    thread = threading.Thread(target=whatever_the_error, args=(listener, admit), daemon=True)
    thread.start()
    thread.join()


@keep_accepting.right
async def in_the_loop(listener, admit):
    loop = asyncio.get_running_loop()
    listener.setblocking(False)
    while True:
        try:
            connection, _ = await loop.sock_accept(listener)
        except OSError as error:
            if error.errno != errno.EMFILE:
                raise
            await asyncio.sleep(0.2)
        else:
            admit(connection)


@keep_accepting.right
async def as_asyncio_does(listener, admit):
    class Admit(asyncio.Protocol):
        def connection_made(self, transport):
            admit(transport.get_extra_info("socket").dup())
            transport.close()

    asyncio.get_running_loop().set_exception_handler(lambda loop, context: None)
    listener.setblocking(False)
    server = await asyncio.get_running_loop().create_server(Admit, sock=listener)
    await server.serve_forever()


@keep_accepting.wrong("OSError")
def ends_at_the_wall(listener, admit):
    while True:
        admit(listener.accept()[0])


@keep_accepting.wrong("You tried 1,000 times")
def spins(listener, admit):
    while True:
        try:
            admit(listener.accept()[0])
        except OSError:
            continue


@keep_accepting.wrong("You returned")
def gives_up(listener, admit):
    with contextlib.suppress(OSError):
        while True:
            admit(listener.accept()[0])


@keep_accepting.wrong("In 1.3 s you tried only once.*after a pause of 1 s at most")
def waits_too_long(listener, admit):
    while True:
        try:
            admit(listener.accept()[0])
        except OSError:
            time.sleep(60)


@keep_accepting.wrong("Then there was room again. Client 2 was not admitted within 1.3 s")
def waits_ever_longer(listener, admit):
    pause = 0.02
    while True:
        try:
            admit(listener.accept()[0])
        except OSError:
            time.sleep(pause)
            pause *= 1000


@keep_accepting.wrong("OSError")
def tries_once_more(listener, admit):
    while True:
        try:
            connection, _ = listener.accept()
        except OSError:
            time.sleep(0.5)
            connection, _ = listener.accept()
        admit(connection)


@keep_accepting.wrong("You returned")
def gives_up_at_the_fifth(listener, admit):
    failures = 0
    while failures < 5:
        try:
            admit(listener.accept()[0])
        except OSError:
            failures += 1
            time.sleep(0.2)


@keep_accepting.wrong("kept the processor at work all the time")
def a_pause_that_burns(listener, admit):
    while True:
        try:
            admit(listener.accept()[0])
        except OSError:
            until = time.monotonic() + 0.1
            while time.monotonic() < until:
                pass


@keep_accepting.wrong("You returned|a third client came")
def recovers_twice(listener, admit):
    for _ in range(2):
        while True:
            with contextlib.suppress(OSError):
                admit(listener.accept()[0])
                break
            time.sleep(0.02)


@keep_accepting.wrong("You admitted a tuple.*the connection alone.*which of them is the client")
def admits_the_tuple(listener, admit):
    while True:
        try:
            admit(listener.accept())
        except OSError:
            time.sleep(0.05)


@keep_accepting.wrong("You admitted None.*the connection alone")
def admits_none(listener, admit):
    while True:
        connection = None
        with contextlib.suppress(OSError):
            connection, _ = listener.accept()
        admit(connection)
        time.sleep(0.05)


@keep_accepting.wrong("admitted client 1 again")
def has_nobody_at_first(listener, admit):
    while True:
        try:
            connection, _ = listener.accept()
        except OSError:
            time.sleep(0.05)
        admit(connection)


@keep_accepting.wrong("admitted client 1 again")
def forgets_to_go_on(listener, admit):
    connection = None
    while True:
        try:
            connection, _ = listener.accept()
        except OSError:
            time.sleep(0.05)
        if connection:
            admit(connection)


@keep_accepting.wrong("closed its connection")
def closes_what_it_admitted(listener, admit):
    while True:
        try:
            connection, _ = listener.accept()
        except OSError:
            time.sleep(0.05)
        else:
            admit(connection)
            connection.close()


roster = Table(ex.roster)


@roster.stub
class Blank:
    def join(self, connection): ...

    def leave(self, number): ...


@roster.right
class WithAnInteger:
    def __init__(self):
        self.latest = 0
        self.clients = {}

    def join(self, connection):
        self.latest += 1
        self.clients[self.latest] = connection
        return self.latest

    def leave(self, number):
        self.clients.pop(number)


@roster.right
class FromZeroAsAMapping:
    def __init__(self):
        self._here = []
        self._next = 0

    @property
    def clients(self):
        return dict(self._here)

    def join(self, connection):
        self._here.append((self._next, connection))
        self._next += 1
        return self._next - 1

    def leave(self, number):
        self._here = [each for each in self._here if each[0] != number]


@roster.right
class OfManyBits:
    def __init__(self):
        self.clients = {}

    def join(self, connection):
        number = secrets.randbits(128)
        self.clients[number] = connection
        return number

    def leave(self, number):
        self.clients.pop(number)


class _Model(ex.roster.model):
    """The model solution, for answers that are wrong in one place."""


@roster.wrong("The next client got")
class AsManyAsAreHere(_Model):
    def join(self, connection):
        number = len(self.clients) + 1
        self.clients[number] = connection
        return number


@roster.wrong("The next client got")
class OneMoreThanTheHighest(_Model):
    def join(self, connection):
        number = max(self.clients, default=0) + 1
        self.clients[number] = connection
        return number


@roster.wrong("You still keep about")
class TheArticlesList(_Model):
    def __init__(self):
        self.places = []

    @property
    def clients(self):
        return {
            n: sock for n, sock in enumerate(self.places[-40:], len(self.places[:-40]) + 1) if sock
        }

    def join(self, connection):
        self.places.append(connection)
        return len(self.places)

    def leave(self, number):
        self.places[number - 1] = None


@roster.wrong("Your `clients` is still `...`")
class LeavesTheDots(_Model):
    def __init__(self):
        self.clients = ...

    def join(self, connection):
        return 1


@roster.wrong("Your `clients` is a `list`")
class AList(_Model):
    def __init__(self):
        self.clients = []

    def join(self, connection):
        self.clients.append(connection)
        return len(self.clients)

    def leave(self, number):
        self.clients[number - 1] = None


@roster.wrong("left. Your `clients` has the numbers")
class KeepsLeavers(_Model):
    def leave(self, number):
        self.clients[number] = None


@roster.wrong("which somebody had before.*when a connection is gone")
class WhereTheConnectionLies(_Model):
    def join(self, connection):
        number = id(connection)
        self.clients[number] = connection
        return number


@roster.wrong("which somebody had before.*when a connection is gone")
class TheDescriptor(_Model):
    def join(self, connection):
        number = connection.fileno()
        self.clients[number] = connection
        return number


class _Counts:
    """Right, but for how it counts."""

    def __init__(self):
        self.last = 0
        self.clients = {}

    def join(self, connection):
        self.last = self.after(self.last)
        self.clients[self.last] = connection
        return self.last

    def leave(self, number):
        del self.clients[number]


@roster.wrong("Number 988 of them got a number that somebody had before.*How far")
class ModuloAThousand(_Counts):
    def after(self, number):
        return (number + 1) % 1000


@roster.wrong("Number [0-9]+ of them got [0-9]+, which somebody had|How far do your numbers go")
class OneByte(_Counts):
    def after(self, number):
        return (number + 1) % 256


@roster.wrong("How far do your numbers go")
class SixteenBitsWithASign(_Counts):
    def after(self, number):
        return c_int16(number + 1).value


@roster.wrong("How far do your numbers go")
class SixteenBits(_Counts):
    def after(self, number):
        return (number + 1) & 0xFFFF


@roster.wrong("You still keep about")
class KeepsAllConnections(_Model):
    def __init__(self):
        super().__init__()
        self.seen = set()

    def join(self, connection):
        self.seen.add(connection)
        return super().join(connection)


@roster.wrong("You still keep about")
class KeepsNumbersOfConnections(_Model):
    def __init__(self):
        super().__init__()
        self.number_of = {}

    def join(self, connection):
        self.number_of[connection] = number = super().join(connection)
        return number


@roster.wrong("A client came and left. You still keep its connection")
class KeepsTheNewest(_Model):
    def join(self, connection):
        self.newest = connection
        return super().join(connection)


@roster.wrong("`LooksAtAllWhoWere` was still running.*in a moment.*How much work")
class LooksAtAllWhoWere(_Model):
    def __init__(self):
        super().__init__()
        self.used = set()

    def join(self, connection):
        number = 1
        while number in self.used:
            number += 1
        self.used.add(number)
        self.clients[number] = connection
        return number


@roster.wrong("`RunsOut` raised StopIteration.*in join, line")
class RunsOut(_Model):
    def __init__(self):
        super().__init__()
        self.numbers = iter(range(1, 1001))

    def join(self, connection):
        number = next(self.numbers)
        self.clients[number] = connection
        return number


@roster.wrong("One more came. Your `clients` has the numbers none.*What does `join` keep")
class KeepsNobody(_Model):
    last = 0

    def join(self, connection):
        self.last += 1
        return self.last


@roster.wrong("`join` returned `None`.*an `int`")
class NoNumber(_Model):
    def join(self, connection):
        super().join(connection)


@roster.wrong("`join` returned `'1'`.*an `int`")
class NumbersAsText(_Model):
    def join(self, connection):
        return str(super().join(connection))


@roster.wrong("Your `join` is a coroutine function")
class ToBeAwaited(_Model):
    async def join(self, connection):
        return super().join(connection)


@roster.wrong("I made a second one of your objects.*those of the first one.*how often")
class OneDictForAll(_Model):
    everybody = dict.fromkeys(())

    def __init__(self):
        super().__init__()
        self.clients = self.everybody


def _pausing(*pauses, at_most=1000):
    """An accept loop that pauses so long after each failure in a row, and gives up after some."""

    def accept_loop(listener, admit):
        failures = 0
        while failures < at_most:
            try:
                connection, _ = listener.accept()
            except OSError as error:
                if error.errno != errno.EMFILE:
                    raise
                time.sleep(pauses[min(failures, len(pauses) - 1)])
                failures += 1
            else:
                failures = 0
                admit(connection)

    accept_loop.__name__ = "_".join(["pauses", *map(str, pauses), str(at_most)])
    return accept_loop


keep_accepting.right(_pausing(1.0))
keep_accepting.right(_pausing(0.1, 0.2, 0.4, 0.8, 1.0))
keep_accepting.wrong("You returned")(_pausing(0.05, at_most=5))
keep_accepting.wrong("You returned")(_pausing(0.5, at_most=5))
keep_accepting.wrong("you tried only once.*after a pause of 1 s at most")(_pausing(2.0))
keep_accepting.wrong("Client 2 was not admitted")(_pausing(0.5, 1.0, 2.0))
