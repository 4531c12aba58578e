"""Answers to the exercises of lesson 05."""

import asyncio
import contextlib
import errno
import itertools
import socket
import struct
import sys
import threading
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


@how_it_ended.wrong("had not ended yet.*You returned `'open'`.*Bytes are no end")
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


@how_it_ended.right
def with_a_file(connection):
    try:
        with connection.makefile("rb", buffering=0) as stream:
            while stream.read(3):
                pass
    except ConnectionError:
        return "reset"
    except OSError:
        return "silent"
    return "closed"


@how_it_ended.right
def closes_it_too(connection):
    with connection:
        return into_a_buffer(connection)


@how_it_ended.wrong("had not ended yet.*You returned `'closed'`")
def two_receives(connection):
    try:
        connection.recv(1024)
        connection.recv(1024)
        return "closed"
    except ConnectionResetError:
        return "reset"
    except TimeoutError:
        return "silent"


@how_it_ended.wrong("had not ended yet.*You returned `'closed'`")
def while_it_is_hello(connection):
    try:
        while connection.recv(1024) == b"hello":
            pass
        return "closed"
    except ConnectionResetError:
        return "reset"
    except TimeoutError:
        return "silent"


@how_it_ended.wrong("timeout had not struck. You returned `'silent'`.*one of yours")
def has_no_patience(connection):
    connection.settimeout(0.02)
    return into_a_buffer(connection)


@how_it_ended.wrong("later you returned `'silent'`. The timeout of the socket .* is 0.8 s")
def has_less_patience_than_asked(connection):
    connection.settimeout(0.3)
    return into_a_buffer(connection)


_guesses = itertools.cycle(["closed", "reset", "silent"])


@how_it_ended.wrong("had not ended yet|You returned `'(closed|reset|silent)'`")
def guesses(connection):
    return next(_guesses)


@how_it_ended.wrong("You returned `'(closed|reset|silent)'`")
def reads_and_guesses(connection):
    into_a_buffer(connection)
    return next(_guesses)


@how_it_ended.wrong("You returned `'(Closed|Reset|Silent)'`.*letter by letter")
def in_capitals(connection):
    return into_a_buffer(connection).capitalize()


@how_it_ended.wrong("You returned `b'(closed|reset|silent)'`.*letter by letter")
def as_bytes(connection):
    return into_a_buffer(connection).encode()


@how_it_ended.wrong("You returned `.'(closed|reset|silent)',.`.*letter by letter")
def in_a_tuple(connection):
    return (into_a_buffer(connection),)


@how_it_ended.wrong("You returned `'timed out'`.*letter by letter")
def in_words_of_its_own(connection):
    return into_a_buffer(connection).replace("silent", "timed out")


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


@answer_at_the_end.right
def with_recv_into(connection):
    total, buffer = 0, bytearray(4096)
    while count := connection.recv_into(buffer):
        total += count
    try:
        connection.send(b"%d bytes" % total)
        connection.send(b"\n")
        connection.shutdown(socket.SHUT_WR)
    finally:
        connection.close()


@answer_at_the_end.wrong(
    "sent 15 bytes and finished, and I got `1[0-9] bytes` and.*What do you count"
)
def counts_characters(connection):
    with connection, connection.makefile(encoding="utf-8") as stream:
        connection.sendall(f"{len(stream.read())} bytes\n".encode())


@answer_at_the_end.wrong("UnicodeDecodeError")
def decodes_each_piece(connection):
    total = 0
    with connection:
        while data := connection.recv(1024):
            total += len(data.decode().encode())
        connection.sendall(f"{total} bytes\n".encode())


@answer_at_the_end.wrong("had not finished, and you answered already|sent 15 bytes.*got `7 bytes`")
def reads_a_line(connection):
    with connection, connection.makefile("rb") as stream:
        connection.sendall(f"{len(stream.readline())} bytes\n".encode())


@answer_at_the_end.wrong("I had not finished, and you answered already")
def takes_silence_for_the_end(connection):
    total = 0
    with connection:
        connection.settimeout(0.2)
        try:
            while data := connection.recv(1024):
                total += len(data)
        except TimeoutError:
            pass
        connection.sendall(f"{total} bytes\n".encode())


@answer_at_the_end.wrong("I had not finished, and you answered already")
def takes_a_second_for_the_end(connection):
    total = 0
    with connection:
        connection.settimeout(1)
        with contextlib.suppress(TimeoutError):
            while data := connection.recv(1024):
                total += len(data)
        connection.sendall(f"{total} bytes\n".encode())


@answer_at_the_end.wrong("I had not finished, and you closed already")
def closes_after_a_silence(connection):
    with connection:
        connection.settimeout(0.2)
        try:
            while connection.recv(1024):
                pass
        except TimeoutError:
            return


@answer_at_the_end.wrong("You answered and finished, and the socket itself is still open")
def shuts_down_only(connection):
    total = 0
    while data := connection.recv(1024):
        total += len(data)
    connection.sendall(f"{total} bytes\n".encode())
    connection.shutdown(socket.SHUT_WR)


@answer_at_the_end.wrong(r"I got `12 bytes\\r` and a newline.*character by character")
def as_on_windows(connection):
    with connection:
        data = b"".join(iter(lambda: connection.recv(1024), b""))
        connection.sendall(f"{len(data)} bytes\r\n".encode())


@answer_at_the_end.wrong("I got `100,000 bytes` and a newline.*The number is right")
def with_a_comma(connection):
    with connection:
        data = b"".join(iter(lambda: connection.recv(1024), b""))
        connection.sendall(f"{len(data):,} bytes\n".encode())


@answer_at_the_end.wrong("I got `Got: 12 bytes` and a newline.*The number is right")
def in_a_sentence(connection):
    with connection:
        data = b"".join(iter(lambda: connection.recv(1024), b""))
        connection.sendall(f"Got: {len(data)} bytes\n".encode())


@answer_at_the_end.wrong("I got (`12 bytes` and a newline|nothing), and then a reset")
def resets_it(connection):
    data = b"".join(iter(lambda: connection.recv(1024), b""))
    connection.sendall(f"{len(data)} bytes\n".encode())
    layout = "hh" if sys.platform == "win32" else "ii"
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack(layout, 1, 0))
    connection.close()


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


@echo_and_tell.right
def by_the_empty_read(connection, left):
    with connection:
        while True:
            try:
                data = connection.recv(100_000)
                connection.sendall(data)
            except ConnectionError:
                data = None
            if not data:
                break
    left("reset" if data is None else "closed")


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


@echo_and_tell.wrong(
    "still running when.*it returns once the client has left.*`recv` return after a FIN"
)
def goes_on_with_no_bytes(connection, left):
    reason = "closed"
    with connection:
        try:
            while True:
                connection.sendall(connection.recv(1024))
        except ConnectionError:
            reason = "reset"
    left(reason)


@echo_and_tell.wrong("still running when.*it returns once the client has left")
def tells_and_goes_on(connection, left):
    while True:
        try:
            if data := connection.recv(1024):
                connection.sendall(data)
        except ConnectionError:
            left("reset")


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


def _echoing(echo):
    """An answer that does all the rest as it should be."""

    def answer(connection, left):
        reason = "closed"
        try:
            with connection:
                echo(connection)
        except ConnectionError:
            reason = "reset"
        left(reason)

    answer.__name__ = echo.__name__
    return answer


@echo_and_tell.wrong("I sent `.{3,12}` and got nothing, and then you closed")
@_echoing
def echoes_once(connection):
    connection.sendall(connection.recv(1024))
    connection.recv(1024)


@echo_and_tell.wrong("I sent `hello` and got nothing.*What does your code wait for")
@_echoing
def waits_for_a_line(connection):
    with connection.makefile("rb") as lines:
        for line in lines:
            connection.sendall(line)


@echo_and_tell.wrong("I sent `hello` and got nothing.*What does your code wait for")
@_echoing
def waits_for_the_end(connection):
    connection.sendall(b"".join(iter(lambda: connection.recv(1024), b"")))


@echo_and_tell.wrong("and got nothing")
@_echoing
def echoes_once_and_reads_on(connection):
    connection.sendall(connection.recv(1024))
    while connection.recv(1024):
        pass


@echo_and_tell.wrong("and got `hel`")
@_echoing
def learnt_by_heart(connection):
    while connection.recv(1024):
        connection.sendall(b"hello")


@echo_and_tell.wrong("I sent `.{8}` and got `.{5}`")
@_echoing
def five_bytes(connection):
    while data := connection.recv(1024):
        connection.sendall(data[:5])


@echo_and_tell.wrong(r"I sent ` \\r\\n` and got nothing")
@_echoing
def strips(connection):
    while data := connection.recv(1024):
        connection.sendall(data.strip())


@echo_and_tell.wrong("I paused, and had not left; but you returned")
@_echoing
def takes_silence_for_an_end(connection):
    connection.settimeout(0.05)
    try:
        while data := connection.recv(1024):
            connection.sendall(data)
    except TimeoutError:
        raise ConnectionResetError from None


@echo_and_tell.wrong("I paused, and had not left; but you returned")
@_echoing
def takes_a_second_for_an_end(connection):
    connection.settimeout(1)
    with contextlib.suppress(TimeoutError):
        while data := connection.recv(1024):
            connection.sendall(data)


@echo_and_tell.right
@_echoing
def looks_up_every_second(connection):
    connection.settimeout(1)
    while True:
        with contextlib.suppress(TimeoutError):
            data = connection.recv(1024)
            if not data:
                return
            connection.sendall(data)


@echo_and_tell.wrong("After my last byte you sent `bye`")
@_echoing
def says_goodbye(connection):
    while data := connection.recv(1024):
        connection.sendall(data)
    connection.sendall(b"bye")


if sys.platform == "linux":  # how much one `send` takes is up to the system

    @echo_and_tell.wrong("I sent 100,000 bytes at once, and got .* back.*promise to send all")
    @_echoing
    def sends_a_part(connection):
        while data := connection.recv(1 << 20):
            connection.send(data)


@echo_and_tell.wrong("still open here")
def detaches(connection, left):
    reason = "closed"
    try:
        while data := connection.recv(1024):
            connection.sendall(data)
    except ConnectionError:
        reason = "reset"
    _detached.append(socket.socket(fileno=connection.detach()))
    left(reason)


_detached: list[socket.socket] = []
_reasons = itertools.cycle(["closed", "reset"])


@echo_and_tell.wrong("you called `left\\('(closed|reset)'\\)`")
def guesses_how(connection, left):
    with_a_finally(connection, lambda reason: left(next(_reasons)))


@echo_and_tell.wrong("you called `left\\('(Closed|Reset)'\\)`.*letter by letter")
def tells_it_in_capitals(connection, left):
    with_a_finally(connection, lambda reason: left(reason.capitalize()))


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


@counts.right
class AllAwaited(WithPop):
    async def on_connect(self, connection):
        super().on_connect(connection)

    async def on_disconnect(self, connection, reason):
        await asyncio.sleep(0.01)
        super().on_disconnect(connection, reason)


class _Model(ex.counts.model):
    """The model solution, for answers that are wrong in one place."""


@counts.wrong("Four came, .* Your `messages` is still `...`")
class LeavesTheDots(ex.counts.model):
    def __init__(self):
        self.messages = ...

    def on_connect(self, connection):
        self.last = connection.number

    def on_message(self, connection, text):
        self.last = connection.number

    def on_disconnect(self, connection, reason):
        self.last = None


@counts.wrong("Client 3 closed politely. Your `messages` is")
class TheArticlesRule(_Model):
    def on_disconnect(self, connection, reason):
        if reason is Reason.RESET:
            del self.messages[connection.number]


@counts.wrong("Client 3 closed politely. Your `messages` is")
class ForgetsNobody(_Model):
    def on_disconnect(self, connection, reason):
        self.last = reason


@counts.wrong("Four came, client 2 sent two messages")
class CountsWhoSpoke(_Model):
    def __init__(self):
        self.messages = Counter()

    def on_connect(self, connection):
        pass

    def on_disconnect(self, connection, reason):
        self.messages.pop(connection.number, None)


@counts.wrong("The server disconnected client 5")
class OnlyWhoLeftByThemselves(_Model):
    def on_disconnect(self, connection, reason):
        if reason in (Reason.CLOSED, Reason.RESET):
            del self.messages[connection.number]


@counts.wrong(r"Four came, client 2 sent two messages.*By what does your dict find a client\?")
class ByAddress(_Model):
    def __init__(self):
        self.messages = defaultdict(int)

    def on_connect(self, connection):
        self.messages[connection.address] = 0

    def on_message(self, connection, text):
        self.messages[connection.address] += 1

    def on_disconnect(self, connection, reason):
        del self.messages[connection.address]


@counts.wrong(r"Four came, client 2 sent two messages.*By what does your dict find a client\?")
class ByConnection(_Model):
    def on_connect(self, connection):
        self.messages[connection] = 0

    def on_message(self, connection, text):
        self.messages[connection] += 1

    def on_disconnect(self, connection, reason):
        del self.messages[connection]


@counts.wrong("I made two objects of your class")
class OneForAll(_Model):
    messages: ClassVar[dict] = {}

    def __init__(self):
        pass


@counts.wrong("Client 3 closed politely.*`{2: 2, 3: 0, 4: 1}`")
class ForgetsTheFirst(_Model):
    def on_disconnect(self, connection, reason):
        self.messages.pop(min(self.messages))


@counts.wrong("A fifth came. Your `messages` is")
class NumbersThemItself(_Model):
    def on_disconnect(self, connection, reason):
        self.messages.pop(connection.number, None)

    def on_connect(self, connection):
        self.messages[len(self.messages) + 1] = 0


@counts.wrong("Four came, client 2 sent two messages, and client 4 one. Your `messages` is")
class OneTotal(_Model):
    def __init__(self):
        super().__init__()
        self.total = 0

    def on_message(self, connection, text):
        self.total += 1
        self.messages[connection.number] = self.total


@counts.wrong("client 4 one. Your `messages` is `{1: 0, 2: 2, 3: 0, 4: 2}`")
class AlwaysTwo(_Model):
    def on_message(self, connection, text):
        self.messages[connection.number] = 2


@counts.wrong("Client 3 closed politely. Your `messages` is")
class ForgetsLater(_Model):
    def on_disconnect(self, connection, reason):
        threading.Timer(0.5, self.messages.pop, [connection.number]).start()
