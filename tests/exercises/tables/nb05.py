"""Answers to the exercises of lesson 05."""

import errno
import sys
from collections import Counter, defaultdict
from typing import ClassVar

from sockkit import Reason
from sockkit.exercises import nb05 as ex

from ..table import Table

how_it_ended = Table(ex.how_it_ended)


@how_it_ended.stub
def blank(connection): ...


@how_it_ended.right
def by_error_number(connection):
    while True:
        try:
            data = connection.recv(4096)
        except OSError as error:
            return "reset" if error.errno in (errno.ECONNRESET, 10054) else "silent"
        if data == b"":
            return "closed"


@how_it_ended.right
def into_a_buffer(connection):
    try:
        while connection.recv_into(bytearray(10)) > 0:
            continue
    except TimeoutError:
        return "silent"
    except ConnectionError:
        return "reset"
    else:
        return "closed"


@how_it_ended.wrong("You returned `None`.*On which way out of your function")
def returns_nothing_when_closed(connection):
    try:
        while connection.recv(1024):
            pass
    except ConnectionResetError:
        return "reset"
    except TimeoutError:
        return "silent"


@how_it_ended.wrong("finished \\(FIN\\). You returned `'open'`.*they are no end")
def first_receive_decides(connection):
    try:
        return "closed" if connection.recv(1024) == b"" else "open"
    except ConnectionResetError:
        return "reset"
    except TimeoutError:
        return "silent"


@how_it_ended.wrong("still running|finished \\(FIN\\)")
def the_articles_rule(connection):
    while True:
        try:
            connection.recv(1024)
        except OSError as error:
            return "reset" if error.errno in (errno.ECONNRESET, 10054) else "silent"


@how_it_ended.wrong("TimeoutError")
def forgets_silence(connection):
    try:
        while connection.recv(1024):
            pass
        return "closed"
    except ConnectionResetError:
        return "reset"


@how_it_ended.wrong("reset it. You returned")
def every_error_is_silence(connection):
    try:
        while connection.recv(1024):
            pass
        return "closed"
    except OSError:
        return "silent"


answer_at_the_end = Table(ex.answer_at_the_end)


@answer_at_the_end.stub
def blank_answer(connection): ...


@answer_at_the_end.right
def collects_all(connection):
    data = b""
    while piece := connection.recv(10_000):
        data += piece
    connection.sendall(b"%d bytes\n" % len(data))
    connection.close()


@answer_at_the_end.right
def as_a_file(connection):
    with connection, connection.makefile("rwb") as stream:
        stream.write(f"{len(stream.read())} bytes\n".encode())


@answer_at_the_end.wrong(
    "sent 12 bytes and finished, and I got `12 bytes`, without a newline.*is whole"
)
def without_a_newline(connection):
    with connection:
        total = 0
        while data := connection.recv(1024):
            total += len(data)
        connection.sendall(f"{total} bytes".encode())


@answer_at_the_end.wrong(
    "I sent nothing and finished, and I got nothing.*How many do you count then"
)
def says_nothing_of_nothing(connection):
    with connection:
        total = 0
        while data := connection.recv(1024):
            total += len(data)
        if total:
            connection.sendall(f"{total} bytes\n".encode())


@answer_at_the_end.wrong(
    "sent 100,000 bytes and finished, and I got `50000 bytes`.*What do you count"
)
def counts_what_it_keeps(connection):
    with connection:
        kept = b""
        while data := connection.recv(1024):
            kept = (kept + data)[-50_000:]
        connection.sendall(f"{len(kept)} bytes\n".encode())


@answer_at_the_end.wrong("12 bytes and finished, and I got nothing.*one half of the connection")
def takes_the_end_for_gone(connection):
    with connection:
        total = 0
        while data := connection.recv(1024):
            total += len(data)


@answer_at_the_end.wrong("you answered already|ended the connection while I was still sending")
def answers_the_first_receive(connection):
    with connection:
        connection.sendall(f"{len(connection.recv(1024))} bytes\n".encode())


@answer_at_the_end.wrong("still open|I got")
def never_closes(connection):
    total = 0
    while data := connection.recv(1024):
        total += len(data)
    connection.sendall(f"{total} bytes\n".encode())
    never_closes.kept = connection


echo_and_tell = Table(ex.echo_and_tell)


@echo_and_tell.stub
def blank_echo(connection, left): ...


@echo_and_tell.right
def with_returns(connection, left):
    try:
        while data := connection.recv(1024):
            connection.sendall(data)
    except OSError:
        connection.close()
        left("reset")
        return
    connection.close()
    left("closed")


@echo_and_tell.right
def with_a_finally(connection, left):
    reason = "reset"
    try:
        while data := connection.recv(100):
            connection.sendall(data)
        reason = "closed"
    except ConnectionResetError:
        pass
    finally:
        connection.close()
        left(reason)


@echo_and_tell.wrong("you called `left\\('reset'\\)`, `left\\('closed'\\)`")
def tells_twice(connection, left):
    try:
        with connection:
            while data := connection.recv(1024):
                connection.sendall(data)
    except ConnectionError:
        left("reset")
    finally:
        left("closed")


@echo_and_tell.wrong("closed\\), and you called nothing")
def tells_resets_only(connection, left):
    try:
        with connection:
            while data := connection.recv(1024):
                connection.sendall(data)
    except ConnectionError:
        left("reset")


@echo_and_tell.wrong("ConnectionResetError")
def knows_no_reset(connection, left):
    with connection:
        while data := connection.recv(1024):
            connection.sendall(data)
    left("closed")


if sys.platform == "linux":  # elsewhere it may be `recv` that raises, and what is caught here

    @echo_and_tell.wrong("BrokenPipeError")
    def knows_one_class_only(connection, left):
        reason = "closed"
        try:
            with connection:
                while data := connection.recv(1024):
                    connection.sendall(data)
        except ConnectionResetError:
            reason = "reset"
        left(reason)


@echo_and_tell.wrong("You called `left` while the connection was still open")
def tells_before_it_closes(connection, left):
    reason = "closed"
    try:
        while data := connection.recv(1024):
            connection.sendall(data)
    except ConnectionError:
        reason = "reset"
    left(reason)
    connection.close()


@echo_and_tell.wrong("You called `left` while the connection was still open")
def closes_in_a_finally_behind_it(connection, left):
    try:
        while data := connection.recv(1024):
            connection.sendall(data)
        left("closed")
    except ConnectionError:
        left("reset")
    finally:
        connection.close()


counts = Table(ex.counts)


@counts.stub
class Blank:
    def on_connect(self, connection): ...

    def on_message(self, connection, text): ...

    def on_disconnect(self, connection, reason): ...


@counts.right
class WithPop:
    def __init__(self):
        self.messages = {}

    def on_connect(self, connection):
        self.messages[connection.number] = 0

    async def on_message(self, connection, text):
        self.messages[connection.number] += 1

    def on_disconnect(self, connection, reason):
        self.messages.pop(connection.number, None)


@counts.right
class KeptInTheState:
    def __init__(self):
        self.here = set()

    @property
    def messages(self):
        return {connection.number: connection.state.count for connection in self.here}

    def on_connect(self, connection):
        connection.state.count = 0
        self.here.add(connection)

    def on_message(self, connection, text):
        connection.state.count += 1

    def on_disconnect(self, connection, reason):
        self.here.discard(connection)


class _Model(ex.counts.model):
    """The model solution, for answers that are wrong in one place."""


@counts.wrong("Client 1 closed politely. Your `messages` is")
class TheArticlesRule(_Model):
    def on_disconnect(self, connection, reason):
        if reason is Reason.RESET:
            del self.messages[connection.number]


@counts.wrong("Client 1 closed politely. Your `messages` is")
class ForgetsNobody(_Model):
    def on_disconnect(self, connection, reason):
        self.last = reason


@counts.wrong("Four came, and client 2 sent two messages")
class CountsWhoSpoke(_Model):
    def __init__(self):
        self.messages = Counter()

    def on_connect(self, connection):
        pass

    def on_disconnect(self, connection, reason):
        self.messages.pop(connection.number, None)


@counts.wrong("The server disconnected client 3")
class OnlyWhoLeftByThemselves(_Model):
    def on_disconnect(self, connection, reason):
        if reason in (Reason.CLOSED, Reason.RESET):
            del self.messages[connection.number]


@counts.wrong("Four came, and client 2 sent two messages")
class ByAddress(_Model):
    def __init__(self):
        self.messages = defaultdict(int)

    def on_connect(self, connection):
        self.messages[connection.address] = 0

    def on_message(self, connection, text):
        self.messages[connection.address] += 1

    def on_disconnect(self, connection, reason):
        del self.messages[connection.address]


@counts.wrong("I made two objects of your class")
class OneForAll(_Model):
    messages: ClassVar[dict] = {}

    def __init__(self):
        pass
