"""Answers to the exercises of lesson 10, but for the tests, which have a table of their own."""

import asyncio
import contextlib
import queue
import time
from typing import ClassVar

from sockkit import ConnectionLost, Reason
from sockkit.exercises import nb10 as ex
from sockkit.exercises.broken import Sound

from ..table import Table

lobby = Table(ex.lobby)


@lobby.stub
class BlankLobby:
    def on_connect(self, connection): ...

    def on_message(self, connection, text): ...

    def on_disconnect(self, connection, reason): ...


@lobby.right
class WithRoomsAlready(Sound):
    """More than was asked for."""


@lobby.right
class InASet:
    def __init__(self):
        self.connections = set()

    async def on_connect(self, connection):
        self.connections.add(connection)
        connection.state.label = str(connection.number)
        connection.send(f"you are {connection.number}")

    async def on_message(self, connection, text):
        match text.split(" ", 1):
            case ["/name", name]:
                connection.state.label = f"{connection.number} {name}"
            case ["/who"]:
                here = sorted(self.connections, key=lambda each: each.number)
                connection.send("here: " + ", ".join(each.state.label for each in here))
            case _:
                self.all_but(connection, f"{connection.state.label}: {text}")

    async def on_disconnect(self, connection, reason):
        self.connections.discard(connection)
        self.all_but(connection, f"* {connection.state.label} left")

    def all_but(self, connection, text):
        for other in self.connections - {connection}:
            try:
                other.send(text)
            except ConnectionLost:
                continue


class _Lobby(ex.lobby.model):
    """The model solution, for answers that are wrong in one place."""


@lobby.wrong("Client 1 connected\\. It got nothing")
class SaysNoNumber(_Lobby):
    def on_connect(self, connection):
        self.here[connection.number] = connection


@lobby.wrong("1 Ada said `hello`, and 1 Ada got `1 Ada: hello`")
class SaysItToTheSender(_Lobby):
    def tell(self, sender, text):
        for other in self.here.values():
            other.send(text)


@lobby.wrong("Client 2 closed politely. Client 1 got")
class TheArticlesRule(_Lobby):
    def on_disconnect(self, connection, reason):
        del self.here[connection.number]
        if reason is Reason.RESET:
            self.tell(connection, f"* {self.label(connection)} left")


@lobby.wrong("Client 2 closed politely, and 1 Ada said `/who`, and got `here: 1 Ada, 2 Big Ben, 3`")
class KeepsZombies(_Lobby):
    def on_disconnect(self, connection, reason):
        self.tell(connection, f"* {self.label(connection)} left")

    def tell(self, sender, text):
        for other in self.here.values():
            if other is not sender and other.reason is None:
                other.send(text)


@lobby.wrong("raised RuntimeError: dictionary changed size during iteration")
class SweepsWhileItTells(_Lobby):
    def on_disconnect(self, connection, reason):
        self.tell(connection, f"* {self.label(connection)} left")

    def tell(self, sender, text):
        for number, other in self.here.items():
            if other.reason is not None:
                del self.here[number]
            elif other is not sender:
                other.send(text)


@lobby.wrong("raised ValueError: 2 is not in list")
class CountsWhoIsHere(_Lobby):
    def on_connect(self, connection):
        super().on_connect(connection)
        if len(self.here) != connection.number:
            connection.state.wrong = True

    def label(self, connection):
        return f"{list(self.here).index(connection.number) + 1} {connection.name}".strip()


@lobby.wrong("`on_message` raised ConnectionLost")
class ThrowsOutWhoSpoke(_Lobby):
    def tell(self, sender, text):
        for other in list(self.here.values()):
            if other is not sender:
                other.send(text)


@lobby.wrong("client 5 was just dropped \\(too slow\\), and client 6 missed the line")
class StopsAtTheFirstWhoIsGone(_Lobby):
    def tell(self, sender, text):
        with contextlib.suppress(ConnectionLost):
            for other in list(self.here.values()):
                if other is not sender:
                    other.send(text)


@lobby.wrong("20 more came, and 4 Ada said `/who`")
class InAnyOrder(_Lobby):
    def on_message(self, connection, text):
        if text == "/who":
            shuffled = sorted(self.here.values(), key=lambda each: each.number % 7)
            few = shuffled if len(shuffled) > 4 else self.here.values()
            connection.send("here: " + ", ".join(map(self.label, few)))
        else:
            super().on_message(connection, text)


@lobby.wrong("`on_message` raised AttributeError: 'Connection' object has no attribute 'nme'")
class MistypesInAMessage(_Lobby):
    def on_message(self, connection, text):
        super().on_message(connection, text)
        if text.startswith("/name "):
            connection.nme += "!"


@lobby.right
class SweepsOutWhoIsGone(_Lobby):
    def on_disconnect(self, connection, reason):
        self.gone(connection)

    def gone(self, connection):
        if self.here.pop(connection.number, None):
            self.tell(connection, f"* {self.label(connection)} left")

    def tell(self, sender, text):
        for other in list(self.here.values()):
            try:
                if other is not sender:
                    other.send(text)
            except ConnectionLost:
                self.gone(other)


@lobby.right
class TellsLeavesALittleLater(_Lobby):
    async def on_disconnect(self, connection, reason):
        await asyncio.sleep(0.01)
        super().on_disconnect(connection, reason)


@lobby.wrong("as client 1 did, and then `hello`. Client 1 got nothing")
class NoWordForNamesakes(_Lobby):
    def tell(self, sender, text):
        for other in list(self.here.values()):
            if other is not sender and (other.name != sender.name or not sender.name):
                with contextlib.suppress(ConnectionLost):
                    other.send(text)


@lobby.wrong("`/name Big Ben`, and 1 Ada said `/who`, and got `here: 1 Ada, 2 Ben, 3`")
class KeepsTheFirstName(_Lobby):
    def on_message(self, connection, text):
        if not (text.startswith("/name ") and connection.name):
            super().on_message(connection, text)


@lobby.wrong("`/name Big Ben`, and 1 Ada said `/who`, and got `here: 1 Ada, 2 Big, 3`")
class OneWordNames(_Lobby):
    def on_message(self, connection, text):
        super().on_message(connection, text)
        connection.name = connection.name.partition(" ")[0]


@lobby.wrong("Client 3, who has no name, said .* got `3 : two  blanks")
class BlankAfterTheNumber(_Lobby):
    def on_message(self, connection, text):
        if text.startswith("/"):
            super().on_message(connection, text)
        else:
            self.tell(connection, f"{connection.number} {connection.name}: {text}")


@lobby.wrong("Client 3, who has no name, said `two  blanks, é, .* Client 1 got nothing")
class AnswersEveryWho(_Lobby):
    def on_message(self, connection, text):
        super().on_message(connection, "/who" if "/who" in text else text)


@lobby.wrong("Client 3, who has no name, said .* Client 1 got nothing")
class TakesNamesAnywhere(_Lobby):
    def on_message(self, connection, text):
        if "/name " in text:
            connection.name = text.split("/name ")[1]
        else:
            super().on_message(connection, text)


@lobby.wrong("`on_message` raised IndexError.*nobody is thrown out for what they say")
class NameOfNothing(_Lobby):
    def on_message(self, connection, text):
        if text.startswith("/name"):
            connection.name = text.split(" ", 1)[1]
        else:
            super().on_message(connection, text)


@lobby.wrong("then 1 Ada said `/who`, and got nothing.*`here: `. Which callback hears that")
class NoListYet(_Lobby):
    def on_message(self, connection, text):
        if text != "/who":
            super().on_message(connection, text)


@lobby.wrong("`on_message` raised IndexError")
class TakesTheFirstWord(_Lobby):
    def on_message(self, connection, text):
        if text.split()[0] == "/who":
            text = "/who"
        super().on_message(connection, text)


@lobby.wrong("threw out clients 7 and 8 .* Client 1 got nothing")
class ThreeWaysToLeave(_Lobby):
    def on_disconnect(self, connection, reason):
        if reason in (Reason.CLOSED, Reason.RESET, Reason.TOO_SLOW):
            super().on_disconnect(connection, reason)
        else:
            del self.here[connection.number]


@lobby.wrong("`on_disconnect` raised ConnectionLost")
class TellsLeavesWithoutCare(_Lobby):
    def on_disconnect(self, connection, reason):
        del self.here[connection.number]
        for other in list(self.here.values()):
            other.send(f"* {self.label(connection)} left")


@lobby.wrong("Client 2 came, and said `/name Ben`. Then 1 Ada got `\\* 2 is Ben`")
class AnnouncesNames(_Lobby):
    def on_message(self, connection, text):
        super().on_message(connection, text)
        if text.startswith("/name "):
            self.tell(connection, f"* {connection.number} is {connection.name}")


@lobby.wrong("and client 1 got 991 bytes")
class CutsLongLines(_Lobby):
    def tell(self, sender, text):
        super().tell(sender, text[:990])


@lobby.wrong("My time was up. `/who` after a line was answered 0.1\\d s later, or more")
class TakesItsTime(_Lobby):
    async def on_message(self, connection, text):
        await asyncio.sleep(0.05)
        super().on_message(connection, text)


@lobby.wrong("has no `on_disconnect`")
class NoLeaves:
    def on_message(self, connection, text):
        connection.send(text)

    def on_connect(self, connection):
        connection.send(f"you are {connection.number}")


chat = Table(ex.chat)


@chat.stub
class BlankChat(ex.lobby.model):
    def on_message(self, connection, text): ...


@chat.right
class TheSoundOne(Sound):
    """Written for the tests of the learners."""


@chat.right
class RoomsInADictionary(ex.lobby.model):
    def __init__(self):
        super().__init__()
        self.rooms = {"lobby": set()}

    def on_connect(self, connection):
        self.rooms["lobby"].add(connection.number)
        super().on_connect(connection)

    def on_disconnect(self, connection, reason):
        super().on_disconnect(connection, reason)
        self.room(connection).remove(connection.number)

    def room(self, connection):
        return next(room for room in self.rooms.values() if connection.number in room)

    def on_message(self, connection, text):
        if text.startswith("/room "):
            self.tell(connection, f"* {self.label(connection)} left")
            self.room(connection).remove(connection.number)
            self.rooms.setdefault(text[6:], set()).add(connection.number)
            self.tell(connection, f"* {self.label(connection)} came")
        elif text.startswith("/to "):
            number, _, message = text[4:].partition(" ")
            other = self.here.get(int(number)) if number.isdigit() else None
            if other:
                with contextlib.suppress(ConnectionLost):
                    other.send(f"{self.label(connection)} to you: {message}")
            else:
                connection.send(f"no client {number}")
        else:
            super().on_message(connection, text)

    def tell(self, sender, text):
        for number in self.room(sender) - {sender.number}:
            try:
                self.here[number].send(text)
            except ConnectionLost:
                continue  # on_disconnect tells the others


class _Chat(ex.chat.model):
    """The model solution, for answers that are wrong in one place."""


@chat.wrong("client 2 is in the room tea, and client 2 Ben got `1 Ada: hello`")
class RoomsThatKeep(_Chat):
    def on_message(self, connection, text):
        connection.state.rooms = {*getattr(connection.state, "rooms", {"lobby"})}
        super().on_message(connection, text)
        connection.state.rooms.add(connection.state.room)

    def tell(self, sender, text):
        for other in list(self.here.values()):
            rooms = getattr(other.state, "rooms", {"lobby"})
            if other is not sender and sender.state.room in rooms:
                other.send(text)


@chat.wrong("raised KeyError")
class KnowsNoUnknown(_Chat):
    def on_message(self, connection, text):
        if text.startswith("/to "):
            _, number, message = text.split(" ", 2)
            self.here[int(number)].send(f"{self.label(connection)} to you: {message}")
        else:
            super().on_message(connection, text)


@chat.wrong("Beside `1 Ada to you: two  blanks`, 2 Ben got")
class ToOneAndAll(_Chat):
    def on_message(self, connection, text):
        super().on_message(connection, text)
        if text.startswith("/to 2 two"):
            self.tell(connection, f"{self.label(connection)} to you: {text[6:]}")


@chat.wrong("Client 3 said `/room tea`, where client 2 was already. Client 2 got")
class ComesSilently(_Chat):
    def on_message(self, connection, text):
        if text.startswith("/room "):
            self.tell(connection, f"* {self.label(connection)} left")
            connection.state.room = text[6:]
        else:
            super().on_message(connection, text)


@chat.wrong("Client 2 left the chat, from the room tea, and client 1 Ada got")
class LeavesAreToldToAll(_Chat):
    def on_disconnect(self, connection, reason):
        super().on_disconnect(connection, reason)
        for other in list(self.here.values()):
            if other.state.room != connection.state.room:
                other.send(f"* {self.label(connection)} left")


@chat.wrong("20 more came, all called Ada, and")
class OneAda(_Chat):
    def on_message(self, connection, text):
        if text == "/who":
            named = {other.name or str(other.number): other for other in self.here.values()}
            connection.send("here: " + ", ".join(map(self.label, named.values())))
        else:
            super().on_message(connection, text)


@chat.wrong("not in their order")
class TheLastFirst(_Chat):
    def __init__(self):
        super().__init__()
        self.held = {}

    def on_message(self, connection, text):
        if text.startswith("line "):
            held = self.held.setdefault(connection.number, queue.LifoQueue())
            held.put(text)
            while held.qsize() == 20 or (held.qsize() and text == "line 19"):
                super().on_message(connection, held.get())
        else:
            super().on_message(connection, text)


@chat.wrong("`/to 20 psst`, and .* got|20 psst`. Client 20 got")
class LooksForTheName(_Chat):
    def on_message(self, connection, text):
        if text.startswith("/to ") and text.split()[1] in map(str, self.here):
            _, number, message = text.split(" ", 2)
            name = self.here[int(number)].name
            other = [each for each in self.here.values() if each.name == name][-1]
            with contextlib.suppress(ConnectionLost):
                other.send(f"{self.label(connection)} to you: {message}")
        else:
            super().on_message(connection, text)


@chat.wrong("`/to 2 over there` in the lobby, client 2 is in the room tea. Client 2 got nothing")
class OnlyWithinTheRoom(_Chat):
    def on_message(self, connection, text):
        if text.startswith("/to ") and text.split()[1] in map(str, self.here):
            other = self.here[int(text.split()[1])]
            if other.state.room != connection.state.room:
                return
        super().on_message(connection, text)


@chat.wrong("Client 4 reset its connection, in the room tea. Client 3 got nothing")
class TellsNoReset(_Chat):
    def on_disconnect(self, connection, reason):
        if reason is Reason.RESET:
            del self.here[connection.number]
        else:
            super().on_disconnect(connection, reason)


@chat.wrong(
    "in the room tea time, client 3 is in tea, and 3 got|went from the room tea to tea time"
)
class OneOtherRoom(_Chat):
    def on_message(self, connection, text):
        if text.startswith("/room ") and text != "/room lobby":
            text = "/room tea"
        super().on_message(connection, text)


@chat.wrong("Client 2, Ben, said `/room lobby`. Client 1 got nothing")
class NoWayBack(_Chat):
    def on_message(self, connection, text):
        if text != "/room lobby":
            super().on_message(connection, text)


@chat.wrong("said `/name Eve`, and then `hello`, in the lobby. Client 2 got `1 Ada: hello`")
class OneNameForEver(_Chat):
    def on_message(self, connection, text):
        if not (text.startswith("/name ") and connection.name):
            super().on_message(connection, text)


@chat.wrong("Client 44 connected. It got")
class NoMoreThanForty(_Chat):
    def on_connect(self, connection):
        if len(self.here) >= 36:
            connection.send("the chat is full")
            connection.close()
        else:
            super().on_connect(connection)

    def on_disconnect(self, connection, reason):
        if connection.number in self.here:
            super().on_disconnect(connection, reason)


@chat.wrong("raised ConnectionLost")
class ARoomWithoutCare(_Chat):
    def on_message(self, connection, text):
        if text.startswith("/room "):
            for other in list(self.here.values()):
                if other is not connection and other.state.room == connection.state.room:
                    other.send(f"* {self.label(connection)} left")
            connection.state.room = text[6:]
            self.tell(connection, f"* {self.label(connection)} came")
        else:
            super().on_message(connection, text)


@chat.wrong("raised ConnectionLost")
class AWordWithoutCare(_Chat):
    def on_message(self, connection, text):
        number = text.split()[1] if text.startswith("/to ") else ""
        if number.isdigit() and int(number) in self.here:
            message = text.split(" ", 2)[2]
            self.here[int(number)].send(f"{self.label(connection)} to you: {message}")
        else:
            super().on_message(connection, text)


@chat.wrong("said `/to 2 psst`. Client 2 got `3 : psst|got `3  to you: psst`")
class BlankInAWord(_Chat):
    def on_message(self, connection, text):
        number = text.split()[1] if text.startswith("/to ") else ""
        if number.isdigit() and int(number) in self.here:
            message = text.split(" ", 2)[2]
            sender = f"{connection.number} {connection.name} to you"
            with contextlib.suppress(ConnectionLost):
                self.here[int(number)].send(f"{sender}: {message}")
        else:
            super().on_message(connection, text)


class _Finds(_Chat):
    """One who finds people in another way."""

    def on_message(self, connection, text):
        if text.startswith("/to "):
            _, number, message = text.split(" ", 2)
            try:
                other = self.find(number)
                other.send(f"{self.label(connection)} to you: {message}")
            except (LookupError, ValueError, ConnectionLost):
                self.nobody(connection, number)
        else:
            super().on_message(connection, text)

    def find(self, number):
        return self.here[int(number)]

    def nobody(self, connection, number):
        connection.send(f"no client {number}")


@chat.wrong("said `/to Ben hello`, and Ben is a name. Client 1 got nothing")
class FindsByNameToo(_Finds):
    def find(self, number):
        found = [c for c in self.here.values() if number in (str(c.number), c.name)]
        return found.pop()


@chat.wrong("`/to 2 hello`. Client .* got nothing")
class FindsByItsBeginning(_Finds):
    def find(self, number):
        exact = [c for c in self.here.values() if str(c.number) == number]
        return (exact or [c for c in self.here.values() if str(c.number).startswith(number)]).pop()


@chat.wrong("said `/to 0 hello`, and 0 is nobody's number. Client 1 got nothing")
class FindsBySeat(_Finds):
    def on_connect(self, connection):
        super().on_connect(connection)
        self.seats = [*getattr(self, "seats", []), connection]

    def find(self, number):
        found = self.seats[int(number) - 1]
        if found.reason is not None:
            raise KeyError(number)
        return found


@chat.wrong("`on_message` raised ValueError: not enough values.*nobody is thrown out")
class UnpacksThree(_Finds):
    """What `/to` alone gives is less."""


@chat.wrong("`on_message` raised ValueError: not enough values.*nobody is thrown out")
class ARoomOfNothing(_Chat):
    def on_message(self, connection, text):
        if text.startswith("/room"):
            _, _ = text.split(" ", 1)
        super().on_message(connection, text)


@chat.wrong("Client 3, who has no name, said .* Client 1 got")
class TakesCommandsAnywhere(_Chat):
    def on_message(self, connection, text):
        _, command, rest = text.partition("/to ")
        super().on_message(connection, command + rest if command else text)


@chat.wrong("said `/to 2 two  blanks`. Client 2 got `1 Ada to you: two blanks`")
class JoinsTheWords(_Chat):
    def on_message(self, connection, text):
        super().on_message(connection, " ".join(text.split()) if "/to 2" in text else text)


@chat.wrong("client 2 is in tea time, and 2 Ben got `3: hello`")
class RoomsByTheirBeginning(_Chat):
    def tell(self, sender, text):
        for other in list(self.here.values()):
            if other is not sender and other.state.room.startswith(sender.state.room):
                with contextlib.suppress(ConnectionLost):
                    other.send(text)


@chat.wrong("`on_connect` raised KeyError: 'lobby'")
class TidiesTheLobbyAway(_Chat):
    def __init__(self):
        super().__init__()
        self.rooms = {"lobby": set()}

    def on_connect(self, connection):
        self.rooms["lobby"].add(connection)
        super().on_connect(connection)

    def on_message(self, connection, text):
        before = connection.state.room
        super().on_message(connection, text)
        self.rooms[before].remove(connection)
        self.rooms.setdefault(connection.state.room, set()).add(connection)
        if not self.rooms[before]:
            del self.rooms[before]


@chat.wrong("said `/to Ben hello`, .* got `no client x`")
class AlwaysX(_Finds):
    def nobody(self, connection, number):
        connection.send(f"no client {number if number.strip('-').isdigit() else 'x'}")


@chat.wrong("`/to 9 hello`, and 9 never came. Then 2 Ben got `no client 9`")
class TellsTheRoomOfNobody(_Finds):
    def nobody(self, connection, number):
        super().nobody(connection, number)
        self.tell(connection, f"no client {number}")


@chat.wrong("Client 2 went to another room, and 1 Ada said `/who`, and got `here: 1 Ada, 3, 2 Ben`")
class LastInTheRoomLastInTheList(_Chat):
    def on_message(self, connection, text):
        super().on_message(connection, text)
        if text.startswith("/room "):
            self.here[connection.number] = self.here.pop(connection.number)


@chat.wrong("Beside `\\* 2 Ben left`, 3 got `\\* 2 Ben came`")
class OneWordRooms(_Chat):
    def on_message(self, connection, text):
        if text.startswith("/room "):
            text = " ".join(text.split()[:2])
        super().on_message(connection, text)


@chat.wrong("Client 2 closed politely, in the room tea. Client 3 got `\\* 2 Ben left`")
class KnowsYouAsYouCame(_Chat):
    def on_message(self, connection, text):
        super().on_message(connection, text)
        if text.startswith("/room "):
            connection.state.label = self.label(connection)

    def on_disconnect(self, connection, reason):
        del self.here[connection.number]
        label = getattr(connection.state, "label", self.label(connection))
        self.tell(connection, f"* {label} left")


@chat.wrong("talked at once, 20 lines each. Client \\d+ got 0 lines of client")
class NoWordForNamesakesHere(_Chat):
    def tell(self, sender, text):
        for other in list(self.here.values()):
            same = other.name == sender.name == "Ada" or other is sender
            if not same and other.state.room == sender.state.room:
                with contextlib.suppress(ConnectionLost):
                    other.send(text)


heard = Table(ex.heard)


@heard.stub
def blank(client): ...


@heard.right
def asks_for_nobody(client):
    client.send("/to 0 x")
    lines = []
    while (line := client.recv()) != "no client 0":
        lines.append(line)
    return lines


@heard.right
def with_iter(client):
    client.send("/who")
    answers = iter(client.recv, None)
    lines = [next(answers)]
    while not lines[-1].startswith("here: "):
        lines.append(next(answers))
    return tuple(lines[:-1])


@heard.wrong("on a slow line, and you returned `\\[\\]`")
def waits_a_little(client):
    lines = []
    try:
        while True:
            lines.append(client.recv(0.1))
    except TimeoutError:
        return lines


@heard.wrong("raised TimeoutError")
def reads_on(client):
    lines = []
    while True:
        lines.append(client.recv())


@heard.wrong("`heard` took 0.4. s each time")
def waits_for_a_silence(client):
    lines = []
    try:
        while True:
            lines.append(client.recv(0.4))
    except TimeoutError:
        return lines


@heard.wrong("`heard` took 1.0. s each time")
def waits_for_a_long_silence(client):
    lines = []
    try:
        while True:
            lines.append(client.recv(1))
    except TimeoutError:
        return lines


@heard.wrong("`heard` took 0.6. s each time")
def sleeps_well(client):
    time.sleep(0.5)
    return waits_a_little(client)


@heard.wrong("on a slow line, and you returned")
def sleeps_a_moment(client):
    time.sleep(0.15)
    return waits_a_little(client)


@heard.wrong("4 lines, and you returned")
def takes_any_here(client):
    client.send("/who")
    lines = []
    while "here: " not in (line := client.recv()):
        lines.append(line)
    return lines


@heard.wrong("The last line answers your own question")
def keeps_the_answer(client):
    client.send("/who")
    lines = [client.recv()]
    while not lines[-1].startswith("here: "):
        lines.append(client.recv())
    return lines


@heard.wrong("one line, and you returned")
def one_at_a_time(client):
    return client.recv()


def _until_here(client, question="/who"):
    client.send(question)
    return iter(client.recv, None)


@heard.wrong("4 lines, and you returned .* Every line counts")
def says_nothing_twice(client):
    lines = []
    for line in _until_here(client):
        if line.startswith("here: "):
            return lines
        if line not in lines:
            lines.append(line)


@heard.wrong("3 lines, and you returned .* Every line counts")
def only_what_people_said(client):
    lines = []
    for line in _until_here(client):
        if line.startswith("here: "):
            return [line for line in lines if not line.startswith("*")]
        lines.append(line)


@heard.wrong("3 lines, and you returned")
def tidies_up(client):
    lines = []
    for line in _until_here(client):
        if line.startswith("here: "):
            return lines
        lines.append(line.strip())


@heard.wrong("raised TimeoutError")
def knows_the_first_client(client):
    lines = []
    for line in _until_here(client):
        if line.startswith("here: 1"):
            return lines
        lines.append(line)


@heard.wrong("You called `heard`, and Ben heard `2: are you there\\?`")
def asks_aloud(client):
    client.send("are you there?")
    return [*iter(_until_here(client).__next__, "here: 2, 3 Ben")]


@heard.wrong("You called `heard`, and client 2 is now called `tester`")
def takes_a_name(client):
    client.send("/name tester")
    lines = []
    for line in _until_here(client):
        if line.startswith("here: "):
            return lines
        lines.append(line)


@heard.wrong("`heard` took 0.1\\d s each time")
def sleeps_shortly(client):
    time.sleep(0.15)
    return with_iter(client)


@heard.wrong("on a slow line, and you returned `\\[\\]`")
def asks_and_gives_up(client):
    lines = []
    client.send("/who")
    try:
        while not (line := client.recv(1)).startswith("here: "):
            lines.append(line)
    except TimeoutError:
        pass
    return lines


@heard.wrong("`heard` has closed the client")
def closes(client):
    with client as mine:
        return with_iter(mine)


@heard.wrong("a list of lines")
def in_one_piece(client):
    return "\n".join(with_iter(client))


@lobby.wrong(
    "two servers.*only client 1, who said `/who`, and got `here: 1, 4 Ada.*for each object"
)
class OneLobbyForAll(ex.lobby.model):
    here: ClassVar[dict] = {}

    def __init__(self): ...


@chat.wrong("two servers.*only client 1, who said `/who`, and got .*for each object")
class OneChatForAll(ex.chat.model):
    here: ClassVar[dict] = {}

    def __init__(self): ...


@chat.wrong(r"`/who` after a line was answered 0.0\d s later, or more|held the event loop for")
class TakesALittleTime(ex.chat.model):
    def on_message(self, connection, text):
        time.sleep(0.006)
        super().on_message(connection, text)
