"""Answers to the exercises of lesson 06."""

import queue
import threading
import time
from collections import deque
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from types import MappingProxyType
from typing import ClassVar

import ipywidgets

from sockkit import ProtocolError, UnknownClient
from sockkit.exercises import nb06 as ex
from sockkit.exercises.solutions.nb06 import Window as Stand

from ..table import Table

snapshot = Table(ex.snapshot)


@snapshot.stub
class Blank:
    def __init__(self): ...

    def on_connect(self, connection): ...

    def on_disconnect(self, connection, reason): ...

    def snapshot(self): ...


@snapshot.right
class CopiedAtEachChange:
    def __init__(self):
        self.now = MappingProxyType({})

    def on_connect(self, connection):
        self.now = MappingProxyType({**self.now, connection.number: connection})

    def on_disconnect(self, connection, reason):
        others = {n: c for n, c in self.now.items() if n != connection.number}
        self.now = MappingProxyType(others)

    def snapshot(self):
        return self.now


@snapshot.right
class WithALock:
    def __init__(self):
        self.lock = threading.Lock()
        self.here = {}

    def on_connect(self, connection):
        with self.lock:
            self.here[connection.number] = connection

    def on_disconnect(self, connection, reason):
        with self.lock:
            self.here.pop(connection.number, None)

    def snapshot(self):
        copied = {}
        with self.lock:
            for number, connection in self.here.items():
                copied[number] = connection
        return MappingProxyType(copied)


class Frozen(Mapping):
    def __init__(self, pairs):
        self._pairs = pairs

    def __getitem__(self, key):
        for number, connection in self._pairs:
            if number == key:
                return connection
        raise KeyError(key)

    def __iter__(self):
        return (number for number, _ in self._pairs)

    def __len__(self):
        return len(self._pairs)


@snapshot.right
class AMappingOfItsOwn:
    def __init__(self):
        self.connections = []

    def on_connect(self, connection):
        self.connections.append(connection)

    async def on_disconnect(self, connection, reason):
        self.connections.remove(connection)

    def snapshot(self):
        return Frozen(tuple((c.number, c) for c in list(self.connections)))


class _Here:
    """A dictionary, as anybody would keep it."""

    def __init__(self):
        self.here = {}

    def on_connect(self, connection):
        self.here[connection.number] = connection

    def on_disconnect(self, connection, reason):
        del self.here[connection.number]


@snapshot.wrong("and then client 2 left. The snapshot has `\\[1, 3\\]`")
class TheDictItself(_Here):
    def snapshot(self):
        return self.here


@snapshot.wrong("and then client 2 left.*A question|and then client 2 left.*a view")
class AView(_Here):
    def snapshot(self):
        return MappingProxyType(self.here)


@snapshot.wrong("put a client 99 into it")
class ACopyThatCanBeChanged(_Here):
    def snapshot(self):
        return self.here.copy()


@snapshot.wrong("dictionary changed size during iteration")
class CopiesInALoop(_Here):
    def snapshot(self):
        copied = {}
        for number, connection in self.here.items():
            copied[number] = connection
        return MappingProxyType(copied)


@snapshot.wrong("dictionary changed size during iteration")
class CopiesInAComprehension(_Here):
    def snapshot(self):
        return MappingProxyType({number: self.here[number] for number in self.here})


@snapshot.wrong("Client \\d+ left while `snapshot` was at work.*raised KeyError: \\d")
class LooksEachOfThemUp(_Here):
    def snapshot(self):
        copied = {}
        for number in list(self.here):
            copied[number] = self.here[number]
        return MappingProxyType(copied)


@snapshot.wrong(
    "Client \\d+ left while `snapshot` was at work.*`snapshot` returned has `\\[\\d+, .*None\\]`"
)
class HoldsAPlaceForWhoLeft(_Here):
    def snapshot(self):
        copied = {}
        for number in list(self.here):
            copied[number] = self.here.get(number)
        return MappingProxyType(copied)


@snapshot.wrong("`snapshot` returned `None`.\nExpected: a mapping from number to connection")
class ReturnsNothing(_Here):
    def snapshot(self):
        MappingProxyType(self.here.copy())


@snapshot.wrong("`snapshot` returned `\\(<Connection.*a mapping from number to connection")
class OnlyTheConnections(_Here):
    def snapshot(self):
        return tuple(self.here.copy().values())


@snapshot.wrong("Client 2 left. The snapshot has `\\[1, 2, 3\\]`")
class NobodyLeaves(_Here):
    def on_disconnect(self, connection, reason):
        self.last = connection

    def snapshot(self):
        return MappingProxyType(self.here.copy())


@snapshot.wrong(
    "Client \\d+ joined, and then client \\d+ left, while `snapshot` was at work.*of one moment"
)
class LeavesOutWhoLeft(_Here):
    def snapshot(self):
        copied = {}
        for number in list(self.here):
            connection = self.here.get(number)
            if connection is not None:
                copied[number] = connection
        return MappingProxyType(copied)


@snapshot.wrong("I asked while `on_disconnect` was at work, .*del self.connections.*of one moment")
class TwoLists:
    def __init__(self):
        self.numbers = []
        self.connections = []

    def on_connect(self, connection):
        self.connections.append(connection)
        self.numbers.append(connection.number)

    def on_disconnect(self, connection, reason):
        place = self.numbers.index(connection.number)
        del self.numbers[place]
        del self.connections[place]

    def snapshot(self):
        return MappingProxyType(dict(zip(self.numbers, self.connections, strict=False)))


@snapshot.wrong(
    "just before line .*I asked once more. The snapshot has .*between two of your lines"
)
class KeptUntilSomethingHappens:
    def __init__(self):
        self.here = {}
        self.last = None

    def on_connect(self, connection):
        self.here[connection.number] = connection
        self.last = None

    def on_disconnect(self, connection, reason):
        del self.here[connection.number]
        self.last = None

    def snapshot(self):
        last = self.last
        if last is None:
            last = MappingProxyType(self.here.copy())
            self.last = last
        return last


@snapshot.wrong("I asked while `on_connect` was at work, .*of one moment")
class MadeAnewInPlace:
    def __init__(self):
        self.all = []
        self.here = {}

    def made(self):
        self.here = {}
        for connection in self.all:
            self.here[connection.number] = connection

    def on_connect(self, connection):
        self.all.append(connection)
        self.made()

    async def on_disconnect(self, connection, reason):
        self.all.remove(connection)
        self.made()

    def snapshot(self):
        return MappingProxyType(self.here.copy())


@snapshot.wrong("Client 2 came, and `on_connect` has not returned.*self.lock.acquire")
class NeverGivesItBack(_Here):
    def __init__(self):
        super().__init__()
        self.lock = threading.Lock()

    def on_connect(self, connection):
        self.lock.acquire()
        self.here[connection.number] = connection

    def snapshot(self):
        return MappingProxyType(self.here.copy())


@snapshot.wrong("`snapshot` is a coroutine function.*nobody awaits it")
class ASnapshotToAwait(_Here):
    async def snapshot(self):
        return MappingProxyType(self.here.copy())


@snapshot.wrong(r"`snapshot\(\)\[1\]` is not client 1's connection")
class KeepsTheirAddresses(_Here):
    def on_connect(self, connection):
        self.here[connection.number] = connection.address

    def snapshot(self):
        return MappingProxyType(self.here.copy())


class _HardToChange(dict):
    def __setitem__(self, number, connection):
        raise TypeError("a snapshot")

    def __delitem__(self, number):
        raise TypeError("a snapshot")


@snapshot.wrong("I took a snapshot, and emptied it with `clear`. Nothing kept me from it")
class ForgetsClear(_Here):
    def snapshot(self):
        return _HardToChange(self.here)


@snapshot.wrong("Everybody left. `snapshot` returned `None`.*a mapping")
class NothingForNobody(_Here):
    def snapshot(self):
        return MappingProxyType(self.here.copy()) if self.here else None


@snapshot.wrong("`on_connect` raised AttributeError")
class MisspeltInACallback(_Here):
    def on_connect(self, connection):
        self.hear[connection.number] = connection

    def snapshot(self):
        return MappingProxyType(self.here.copy())


news = Table(ex.news)


@news.stub
class BlankNews:
    def __init__(self): ...

    def on_connect(self, connection): ...

    def on_disconnect(self, connection, reason): ...

    def news(self): ...


class _Told:
    """Notes what happens in a deque."""

    def __init__(self):
        self.waiting = deque()

    def on_connect(self, connection):
        self.waiting.append(f"{connection.number} joined")

    def on_disconnect(self, connection, reason):
        self.waiting.append(f"{connection.number} left")


@news.right
class UntilItIsEmpty(_Told):
    def news(self):
        told = []
        while self.waiting:
            told.append(self.waiting.popleft())
        return told


@news.right
class SwappedUnderALock:
    def __init__(self):
        self.lock = threading.Lock()
        self.waiting = []

    def note(self, text):
        with self.lock:
            self.waiting.append(text)

    def on_connect(self, connection):
        self.note(f"{connection.number} joined")

    def on_disconnect(self, connection, reason):
        self.note(f"{connection.number} left")

    def news(self):
        with self.lock:
            told = self.waiting
            self.waiting = []
        return tuple(told)


@news.right
class RemembersWhereItWas(_Told):
    def __init__(self):
        self.waiting = []
        self.place = 0

    def news(self):
        told = self.waiting[self.place :]
        self.place += len(told)
        return told


@news.wrong("while `news` was at work, just before line .*clear")
class CopiesThenClears(_Told):
    def news(self):
        told = list(self.waiting)
        self.waiting.clear()
        return told


@news.wrong("while `news` was at work, just before line .*clear")
class CopiesAndClearsIfThereIsSomething(_Told):
    def news(self):
        if not self.waiting:
            return []
        told = list(self.waiting)
        self.waiting.clear()
        return told


@news.wrong("while `news` was at work")
class CopiesThenStartsAnew(_Told):
    def news(self):
        told = [*self.waiting]
        self.waiting = deque()
        return told


@news.wrong("Client 4 came and left")
class TwoLooks(_Here):
    def __init__(self):
        self.here = {}
        self.before = {}

    def news(self):
        now = self.here.copy()
        told = [f"{n} joined" for n in now if n not in self.before]
        told += [f"{n} left" for n in self.before if n not in now]
        self.before = now
        return told


@news.wrong("Nothing has happened since I asked last")
class TellsItAgain(_Told):
    def news(self):
        return list(self.waiting)


@news.wrong("`news` is a coroutine function.*nobody awaits it")
class NewsToAwait(_Told):
    async def news(self):
        return [self.waiting.popleft() for _ in range(len(self.waiting))]


@news.wrong(
    "`news\\(\\)` returned `<generator.*You returned a `generator`. What makes a list of it"
)
class NewsOneByOne(_Told):
    def news(self):
        while self.waiting:
            yield self.waiting.popleft()


@news.wrong("deque mutated during iteration|while `news` was at work")
class LoopsOverIt(_Told):
    def news(self):
        told = []
        for text in self.waiting:
            told.append(text)
        self.waiting.clear()
        return told


@news.wrong("Three clients came.*\\['3 joined', '2 joined'")
class NewestFirst(_Told):
    def news(self):
        return [self.waiting.pop() for _ in range(len(self.waiting))]


@news.wrong("still running when I stopped waiting")
class WaitsForMore(_Told):
    def news(self):
        while not self.waiting:
            time.sleep(0.01)
        return [self.waiting.popleft() for _ in range(len(self.waiting))]


@news.wrong("Nothing had happened, and .*news.* took 0.*it never waits")
class WaitsALittle:
    def __init__(self):
        self.items = queue.Queue()

    def on_connect(self, connection):
        self.items.put(f"{connection.number} joined")

    def on_disconnect(self, connection, reason):
        self.items.put(f"{connection.number} left")

    def news(self):
        told = []
        try:
            while True:
                told.append(self.items.get(timeout=0.1))
        except queue.Empty:
            return told


@news.right
class ACallbackThatIsAwaited(_Told):
    async def on_disconnect(self, connection, reason):
        text = f"{connection.number} left"
        self.waiting.append(text)

    def news(self):
        return [self.waiting.popleft() for _ in range(len(self.waiting))]


@news.wrong("client 5 came.*'4 joined', '5 joined'.*happened first")
class OneDequeForEach:
    def __init__(self):
        self.joined = deque()
        self.left = deque()

    def on_connect(self, connection):
        self.joined.append(f"{connection.number} joined")

    def on_disconnect(self, connection, reason):
        self.left.append(f"{connection.number} left")

    def news(self):
        told = [self.joined.popleft() for _ in range(len(self.joined))]
        return told + [self.left.popleft() for _ in range(len(self.left))]


@news.wrong("I asked while `on_connect` was at work, .*events.append.*between two of your lines")
class CopiedInTheCallback:
    def __init__(self):
        self.events = []

    def on_connect(self, connection):
        events = list(self.events)
        events.append(f"{connection.number} joined")
        self.events = events

    def on_disconnect(self, connection, reason):
        events = list(self.events)
        events.append(f"{connection.number} left")
        self.events = events

    def news(self):
        told, self.events = self.events, []
        return told


@news.wrong("I asked while `on_disconnect` was at work, .*self.events = events")
class CopiedWhenTheyLeave(CopiedInTheCallback):
    def on_connect(self, connection):
        self.events.append(f"{connection.number} joined")

    async def on_disconnect(self, connection, reason):
        events = [*self.events, f"{connection.number} left"]
        self.events = events


@news.wrong("Ten clients came, and then they left.*returned `\\['11 left.*How much")
class KeepsTheNewestFive(_Told):
    def __init__(self):
        self.waiting = deque(maxlen=5)

    def news(self):
        return [self.waiting.popleft() for _ in range(len(self.waiting))]


@news.wrong("Client 3 came, and `on_connect` has not returned.*self.waiting.put")
class AQueueWithRoomForTwo:
    def __init__(self):
        self.waiting = queue.Queue(2)

    def on_connect(self, connection):
        self.waiting.put(f"{connection.number} joined")

    def on_disconnect(self, connection, reason):
        self.waiting.put(f"{connection.number} left")

    def news(self):
        return [self.waiting.get() for _ in range(self.waiting.qsize())]


log = Table(ex.log)


@log.stub
class BlankLog:
    def __init__(self, field): ...

    def add(self, text): ...

    def flush(self): ...


@log.right
class WithAQueue:
    def __init__(self, field):
        self.field = field
        self.waiting = deque()
        self.shown = []

    def add(self, text):
        self.waiting.append(text)

    def flush(self):
        while self.waiting:
            self.shown.append(self.waiting.popleft())
        self.shown = self.shown[-5:]
        self.field.value = "\n".join(self.shown)


@log.right
class OnlyWhenThereIsSomething:
    def __init__(self, field):
        self.field = field
        self.lines = []
        self.new = threading.Event()

    def add(self, text):
        self.lines = [*self.lines[-4:], text]
        self.new.set()

    def flush(self):
        if self.new.is_set():
            self.new.clear()
            self.field.value = "\n".join(self.lines)


@log.right
class LogWithALock:
    def __init__(self, field):
        self.field = field
        self.lock = threading.Lock()
        self.lines = []

    def add(self, text):
        with self.lock:
            self.lines.append(text)

    def flush(self):
        with self.lock:
            del self.lines[:-5]
            self.field.value = "\n".join(self.lines)


@log.wrong("changed on the server's thread")
class AtOnce:
    def __init__(self, field):
        self.field = field
        self.lines = deque(maxlen=5)

    def add(self, text):
        self.lines.append(text)
        self.flush()

    def flush(self):
        self.field.value = "\n".join(self.lines)


@log.wrong("One `flush` changed `field.value` 2 times")
class OneChangeALine(WithAQueue):
    def flush(self):
        while self.waiting:
            self.shown = [*self.shown, self.waiting.popleft()][-5:]
            self.field.value = "\n".join(self.shown)


@log.wrong("1003 messages came")
class ShowsThemAll(WithAQueue):
    def flush(self):
        while self.waiting:
            self.shown.append(self.waiting.popleft())
        self.field.value = "\n".join(self.shown)


@log.wrong("3 messages came.*'three'")
class OnlyTheNew(WithAQueue):
    def flush(self):
        told = [self.waiting.popleft() for _ in range(len(self.waiting))][-5:]
        self.field.value = "\n".join(told)


@log.wrong("just before line .*clear")
class ClearsTooLate(OnlyWhenThereIsSomething):
    def flush(self):
        if self.new.is_set():
            self.field.value = "\n".join(self.lines)
            self.new.clear()


@log.right
class KeepsMoreThanItShows(WithAQueue):
    def __init__(self, field):
        self.field = field
        self.lines = deque(maxlen=500)

    def add(self, text):
        self.lines.append(text)

    def flush(self):
        self.field.value = "\n".join(list(self.lines)[-5:])


@log.wrong("1,003 messages came.*still holds 1,000 lines.*forgotten")
class KeepsThemAll:
    def __init__(self, field):
        self.field = field
        self.lines = []

    def add(self, text):
        self.lines.append(text)

    def flush(self):
        self.field.value = "\n".join(self.lines[-5:])


@log.wrong("still holds 1,000 lines")
class KeepsOneLongText:
    def __init__(self, field):
        self.field = field
        self.text = ""

    def add(self, text):
        self.text += text + "\n"

    def flush(self):
        self.field.value = "\n".join(self.text.splitlines()[-5:])


@log.wrong("`flush` is a coroutine function.*nobody awaits it")
class AFlushToAwait(WithAQueue):
    async def flush(self):
        super().flush()


@log.wrong("deque mutated during iteration")
class LoopsOverTheDeque:
    def __init__(self, field):
        self.field = field
        self.lines = deque(maxlen=5)

    def add(self, text):
        self.lines.append(text)

    def flush(self):
        text = ""
        for line in self.lines:
            text += line + "\n"
        self.field.value = text.rstrip()


@log.wrong(
    "I called `flush` while `add` was at work, just before line .*append.*Then I called it once"
)
class SaysItIsThereTooEarly:
    def __init__(self, field):
        self.field = field
        self.lines = deque(maxlen=5)
        self.fresh = False

    def add(self, text):
        self.fresh = True
        self.lines.append(text)

    def flush(self):
        if self.fresh:
            self.fresh = False
            self.field.value = "\n".join(self.lines.copy())


@log.wrong(
    "I called `flush` while `add` was at work, just before line .*pop\\(0\\)|len\\(self.lines\\)"
)
class SixForAMoment:
    def __init__(self, field):
        self.field = field
        self.lines = []

    def add(self, text):
        self.lines.append(text)
        if len(self.lines) > 5:
            self.lines.pop(0)

    def flush(self):
        self.field.value = "\n".join(self.lines)


@log.right
class CutsInBoth(SixForAMoment):
    def flush(self):
        self.field.value = "\n".join(self.lines[-5:])


@log.wrong("still holds 1,000 lines")
class KeptByTheClass:
    lines = []  # noqa: RUF012

    def __init__(self, field):
        self.field = field
        self.lines.clear()

    def add(self, text):
        self.lines.append(text)

    def flush(self):
        self.field.value = "\n".join(self.lines[-5:])


kept_by_nobody = []


@log.wrong("still holds 1,000 lines")
class KeptInAGlobal:
    def __init__(self, field):
        self.field = field
        kept_by_nobody.clear()

    def add(self, text):
        kept_by_nobody.append(text)

    def flush(self):
        self.field.value = "\n".join(kept_by_nobody[-5:])


@log.wrong("still holds 900 lines")
class KeepsNearlyAll(KeepsMoreThanItShows):
    def __init__(self, field):
        self.field = field
        self.lines = deque(maxlen=900)


panel = Table(ex.panel)


class Window:
    """As in the notebook."""

    def __init__(self):
        self.message = ipywidgets.Text("hello, all")
        self.number = ipywidgets.BoundedIntText(value=1, min=1, max=9999)
        self.send = ipywidgets.Button(description="Send")
        self.broadcast = ipywidgets.Button(description="Broadcast")
        self.error = ipywidgets.Label()


@panel.stub
def blank_panel(server): ...


@panel.right
def asks_first(server):
    window = Window()

    def send(button):
        number, text = window.number.value, window.message.value
        if "\n" in text:
            window.error.value = "one line, please"
        elif number in server.clients:
            server.clients[number].send(text)
            window.error.value = ""
        else:
            window.error.value = f"no client {number}"

    def broadcast(button):
        text = window.message.value
        if "\n" in text:
            window.error.value = "one line, please"
        else:
            server.broadcast(text)
            window.error.value = ""

    window.send.on_click(send)
    window.broadcast.on_click(broadcast)
    return window


def guarded(window, action):
    """What a click does, with its error told."""

    def clicked(button):
        window.error.value = ""
        try:
            action()
        except Exception as error:
            window.error.value = str(error)

    return clicked


@panel.right
def each_click_a_thread(server):
    window = Window()

    def handed_over(action):
        def work(*fields):
            try:
                action(*fields)
                window.error.value = ""
            except Exception as error:
                window.error.value = str(error)

        def clicked(button):
            fields = (window.message.value,)
            if button is window.send:
                fields = (window.number.value, *fields)
            threading.Thread(target=work, args=fields).start()

        return clicked

    window.send.on_click(handed_over(server.send))
    window.broadcast.on_click(handed_over(server.broadcast))
    return window


def with_pools(server, pool_of_a_click):
    window = Window()

    def told(future):
        error = future.exception()
        window.error.value = str(error) if error else ""

    def send(button):
        with_fields = (server.send, window.number.value, window.message.value)
        pool_of_a_click(*with_fields).add_done_callback(told)

    def broadcast(button):
        pool_of_a_click(server.broadcast, window.message.value).add_done_callback(told)

    window.send.on_click(send)
    window.broadcast.on_click(broadcast)
    return window


@panel.right
def a_pool_for_each_click(server):
    def pool_of_a_click(*job):
        pool = ThreadPoolExecutor(1)
        future = pool.submit(*job)
        pool.shutdown(wait=False)
        return future

    return with_pools(server, pool_of_a_click)


@panel.right
def a_queue_and_a_thread_that_ends(server):
    window, jobs = Stand(), queue.SimpleQueue()

    def work():
        while True:
            try:
                action, *fields = jobs.get(timeout=0.5)
            except queue.Empty:
                return
            try:
                action(*fields)
                window.error.value = ""
            except Exception as error:
                window.error.value = f"{type(error).__name__}: {error}"

    worker = [threading.Thread(target=work)]

    def hand_over(*job):
        jobs.put(job)
        if not worker[0].is_alive():
            worker[0] = threading.Thread(target=work)
            worker[0].start()

    window.send.on_click(
        lambda _: hand_over(server.send, window.number.value, window.message.value)
    )
    window.broadcast.on_click(lambda _: hand_over(server.broadcast, window.message.value))
    return window


@panel.wrong("Both buttons worked.* But your thread .*was still running, in line .*I ended it")
def a_queue_and_a_thread_for_ever(server):
    window, jobs = Stand(), queue.SimpleQueue()

    def work():
        while True:
            try:
                action, *fields = jobs.get(timeout=0.1)
                action(*fields)
                window.error.value = ""
            except queue.Empty:
                pass
            except Exception as error:
                window.error.value = str(error)

    threading.Thread(target=work, daemon=True).start()
    window.send.on_click(
        lambda _: jobs.put((server.send, window.number.value, window.message.value))
    )
    window.broadcast.on_click(lambda _: jobs.put((server.broadcast, window.message.value)))
    return window


@panel.wrong("`window.error` is now a `str`, without `value`")
def forgets_the_value(server):
    window = Window()

    def send(button):
        try:
            server.send(window.number.value, window.message.value)
        except Exception:
            window.error = f"no client {window.number.value}"

    window.send.on_click(send)
    window.broadcast.on_click(lambda button: server.broadcast(window.message.value))
    return window


@panel.wrong("`window.send` is now a `function`, without `click`")
def replaces_the_button(server):
    window = Window()
    window.send = guarded(window, lambda: server.send(window.number.value, window.message.value))
    window.broadcast = guarded(window, lambda: server.broadcast(window.message.value))
    return window


@panel.wrong("they got it. `error.value` is `sent`")
def tells_that_it_worked(server):
    window = Window()

    def clicked(button):
        try:
            if button is window.send:
                server.send(window.number.value, window.message.value)
            else:
                server.broadcast(window.message.value)
            window.error.value = "sent"
        except Exception as error:
            window.error.value = str(error)

    window.send.on_click(clicked)
    window.broadcast.on_click(clicked)
    return window


@panel.right
class AClass(Window):
    def __init__(self, server):
        super().__init__()
        self.server = server
        self.send.on_click(self.clicked)
        self.broadcast.on_click(self.clicked)

    def clicked(self, button):
        told = ""
        try:
            text = self.message.value
            if button is self.send:
                self.server.send(self.number.value, text)
            else:
                for connection in self.server.clients.values():
                    connection.send(text)
        except (LookupError, ProtocolError) as error:
            told = f"{type(error).__name__}: {error}"
        self.error.value = told


@panel.wrong("of two lines, .*clicked Broadcast.*`error.value` is empty")
def guards_only_the_send(server):
    window = Window()

    def send(button):
        window.error.value = ""
        try:
            server.send(window.number.value, window.message.value)
        except Exception as error:
            window.error.value = str(error)

    def broadcast(button):
        server.broadcast(window.message.value)
        window.error.value = ""

    window.send.on_click(send)
    window.broadcast.on_click(broadcast)
    return window


@panel.wrong("of two lines, .*clicked Send.*`error.value` is empty")
def knows_one_error_only(server):
    window = Window()

    def send(button):
        window.error.value = ""
        try:
            server.send(window.number.value, window.message.value)
        except UnknownClient as error:
            window.error.value = str(error)

    window.send.on_click(send)
    window.broadcast.on_click(guarded(window, lambda: server.broadcast(window.message.value)))
    return window


@panel.wrong(
    "clicked Send, for clients who are here, and they got it. `error.value` is still `no cl"
)
def tells_it_for_ever(server):
    window = Window()

    def send(button):
        try:
            server.send(window.number.value, window.message.value)
        except Exception as error:
            window.error.value = str(error)

    window.send.on_click(send)
    window.broadcast.on_click(lambda button: server.broadcast(window.message.value))
    return window


@panel.wrong(
    "clicked Broadcast, for clients who are here, and they got it. `error.value` is still `no"
)
def tells_it_until_the_next_send(server):
    window = Window()

    def send(button):
        window.error.value = ""
        try:
            server.send(window.number.value, window.message.value)
        except Exception as error:
            window.error.value = str(error)

    window.send.on_click(send)
    window.broadcast.on_click(lambda button: server.broadcast(window.message.value))
    return window


@panel.wrong("for client 7, who is not here, and `error.value` is `something went wrong`")
def does_not_say_for_whom(server):
    window = Window()

    def send(button):
        try:
            server.send(window.number.value, window.message.value)
        except Exception:
            window.error.value = "something went wrong"

    window.send.on_click(send)
    window.broadcast.on_click(lambda button: server.broadcast(window.message.value))
    return window


@panel.wrong("client 7, who is not here, and `error.value` is empty.*a click by hand has no cell")
def tells_nobody(server):
    window = Window()
    window.send.on_click(lambda button: server.send(window.number.value, window.message.value))
    window.broadcast.on_click(lambda button: server.broadcast(window.message.value))
    return window


@panel.wrong("client 7, who is not here, and `error.value` is empty.*a click by hand has no cell")
def tells_nobody_without_widgets(server):
    window = Stand()
    window.send.on_click(lambda button: server.send(window.number.value, window.message.value))
    window.broadcast.on_click(lambda button: server.broadcast(window.message.value))
    return window


@panel.wrong(
    "Client 2 got nothing, and client 1 got `hello, all`.*When does your code read the fields"
)
def reads_the_fields_too_early(server):
    window = Window()
    text, number = window.message.value, window.number.value
    window.send.on_click(lambda button: server.send(number, text))
    window.broadcast.on_click(lambda button: server.broadcast(text))
    return window


@panel.wrong("Client 2 got nothing. `error.value` is `not yet`")
def forgets_to_connect_the_buttons(server):
    window = Window()
    window.error.value = "not yet"
    return window


@panel.wrong("Client 1 got `only you 0`")
def sends_to_all(server):
    window = Window()
    for button in (window.send, window.broadcast):
        button.on_click(lambda button: server.broadcast(window.message.value))
    return window


@panel.wrong("Client 2 got nothing.*What is called when this button is clicked")
def connects_nothing(server):
    return Window()


@panel.wrong("an empty line.*When does your code read the fields")
def reads_an_empty_field_too_early(server):
    window = Stand()
    text = window.message.value
    window.send.on_click(lambda button: server.send(window.number.value, text))
    window.broadcast.on_click(lambda button: server.broadcast(text))
    return window


@panel.wrong("You returned `None`.\nExpected: an object with `message`, ")
def returns_nothing(server):
    window = Window()
    window.send.on_click(lambda button: server.send(window.number.value, window.message.value))


@panel.wrong("still running when I stopped waiting.*Expected: ")
def waits_in_a_click(server):
    window = ex.panel.model(server)
    window.send.on_click(lambda button: time.sleep(10))
    return window


@snapshot.wrong("clients came to one of them. `snapshot.*of the other returned .*for each object")
class OneForAllRosters(ex.snapshot.model):
    here: ClassVar[dict] = {}

    def __init__(self): ...


@news.wrong("clients came to one of them. `news.*of the other returned .*for each object")
class OneForAllNews(ex.news.model):
    waiting = queue.SimpleQueue()

    def __init__(self): ...


@log.wrong("two of your logs.*the field of the other shows `'line.*for each object")
class OneForAllLogs(ex.log.model):
    newest: ClassVar[deque] = deque(maxlen=5)

    def __init__(self, field):
        self.field = field


@news.right
class NewsInATuple(ex.news.model):
    def news(self):
        return tuple(super().news())


@news.wrong("You returned a `deque`. What makes a list of it")
class NewsInADeque(ex.news.model):
    def news(self):
        return deque(super().news())
