"""Answers to the exercises of lesson 02."""

import codecs

from sockkit.exercises import nb02 as ex

from ..table import Table

receive_text = Table(ex.receive_text)


@receive_text.stub
def blank(connection): ...


@receive_text.right
def with_an_incremental_decoder(connection):
    decode, text = codecs.getincrementaldecoder("utf-8")().decode, ""
    while data := connection.recv(3):
        text += decode(data)
    return text + decode(b"", final=True)


@receive_text.right
def as_a_file(connection):
    with connection.makefile("r", encoding="utf-8", newline="") as stream:
        return stream.read()


@receive_text.right
async def as_a_coroutine(connection):
    import asyncio

    connection.setblocking(False)
    pieces = []
    while data := await asyncio.get_running_loop().sock_recv(connection, 10):
        pieces.append(data)
    return b"".join(pieces).decode()


@receive_text.wrong("raised UnicodeDecodeError")
def decodes_each_piece(connection):
    text = ""
    while data := connection.recv(1024):
        text += data.decode()
    return text


@receive_text.wrong("I cut in the middle of a character")
def ignores_what_does_not_fit(connection):
    text = ""
    while data := connection.recv(1024):
        text += data.decode(errors="ignore")
    return text


@receive_text.wrong("raised UnicodeDecodeError|you returned")
def first_receive_only(connection):
    return connection.recv(1024).decode()


@receive_text.wrong("You returned `None`.*Expected: a str")
def returns_nothing(connection):
    data = b""
    while received := connection.recv(1024):
        data += received
    data.decode()


@receive_text.wrong("you returned `'café, žluťoučký kůň,'`.*every character")
def takes_off_the_end(connection):
    data = b""
    while received := connection.recv(1024):
        data += received
    return data.decode()[:-2]


@receive_text.wrong("you returned `''`.*What had come")
def keeps_nothing(connection):
    while connection.recv(1024):
        pass
    return ""


@receive_text.wrong("You returned bytes")
def leaves_it_bytes(connection):
    data = b""
    while piece := connection.recv(1024):
        data += piece
    return data


@receive_text.wrong("still running when I stopped waiting")
def never_sees_the_end(connection):
    data = b""
    while True:
        data += connection.recv(1024)


decoder = Table(ex.decoder)


@decoder.stub
class Blank:
    def feed(self, data): ...


@decoder.right
class WithPartition:
    def __init__(self):
        self.buffer = bytearray()

    def feed(self, data):
        self.buffer += data
        lines = []
        while b"\n" in self.buffer:
            line, _, self.buffer = self.buffer.partition(b"\n")
            lines.append(line.decode("utf-8"))
        return lines


@decoder.right
class ByteByByte:
    def __init__(self):
        self.line = []

    def feed(self, data):
        found = []
        for byte in data:
            if byte == 10:
                found.append(bytes(self.line).decode())
                self.line = []
            else:
                self.line.append(byte)
        return tuple(found)


@decoder.wrong("raised UnicodeDecodeError|came out as|fewer|more")
class ForgetsTheRest:
    def feed(self, data):
        return [line.decode() for line in data.split(b"\n")[:-1]]


@decoder.wrong("message 7 came out as `'a'`.*Which characters end a message")
class SplitsLikeSplitlines:
    def __init__(self):
        self.waiting = b""

    def feed(self, data):
        whole, newline, rest = (self.waiting + data).rpartition(b"\n")
        self.waiting = rest
        return whole.decode().splitlines() if whole.strip(b"\n") else [""] * bool(newline)


@decoder.wrong("raised UnicodeDecodeError")
class DecodesEachPiece:
    def __init__(self):
        self.waiting = ""

    def feed(self, data):
        *lines, self.waiting = (self.waiting + data.decode()).split("\n")
        return lines


@decoder.wrong(
    "message 3 is missing: in its place came `'späte Gäste'`.*An empty message is a message"
)
class DropsEmptyLines:
    def __init__(self):
        self.waiting = b""

    def feed(self, data):
        *lines, self.waiting = (self.waiting + data).split(b"\n")
        return [line.decode() for line in lines if line]


@decoder.wrong("Message 1 is bytes")
class LeavesBytes:
    def __init__(self):
        self.waiting = b""

    def feed(self, data):
        *lines, self.waiting = (self.waiting + data).split(b"\n")
        return lines


@decoder.wrong("message 8 came out as `'a.*Which characters end a message")
class SplitsLikeSplitlinesOfBytes:
    def __init__(self):
        self.waiting = b""

    def feed(self, data):
        lines = (self.waiting + data).splitlines(keepends=True)
        whole = lines and lines[-1].endswith(b"\n")
        self.waiting = b"" if whole or not lines else lines.pop()
        return [line.removesuffix(b"\n").decode() for line in lines]


class _Splits:
    def __init__(self):
        self.waiting = b""

    def feed(self, data):
        *lines, self.waiting = (self.waiting + data).split(b"\n")
        return [line.decode() for line in lines]


@decoder.wrong("message 9 came out as `''`.*characters off")
class StripsItsLines(_Splits):
    def feed(self, data):
        return [line.strip() for line in super().feed(data)]


@decoder.wrong("message 1 came out as `'one.n'`.*newline ends a message")
class KeepsTheNewlines(_Splits):
    def feed(self, data):
        return [line + "\n" for line in super().feed(data)]


@decoder.wrong(
    "message 1 is missing: in its place came `'two'`.*In which receive did it become whole"
)
class LosesTheFirst(_Splits):
    def __init__(self):
        super().__init__()
        self.begun = False

    def feed(self, data):
        lines = super().feed(data)
        if lines and not self.begun:
            self.begun = True
            del lines[0]
        return lines


@decoder.wrong("message 1 came out as `None`.*in your list")
class ListsNothing(_Splits):
    def feed(self, data):
        return [None for line in super().feed(data)]


@decoder.wrong("something that both share")
class SharesItsBuffer:
    waiting = bytearray()

    def feed(self, data):
        self.waiting += data
        *lines, rest = self.waiting.split(b"\n")
        self.waiting[:] = rest
        return [line.decode() for line in lines]


@decoder.wrong("`feed` returned `None`.*on every way through")
class ReturnsNothingYet:
    def __init__(self):
        self.waiting = b""

    def feed(self, data):
        *lines, self.waiting = (self.waiting + data).split(b"\n")
        if lines:
            return [line.decode() for line in lines]


bounded = Table(ex.bounded)


@bounded.stub
class BlankBounded:
    def __init__(self, limit): ...

    def feed(self, data): ...


@bounded.right
class WithPartitionAndLimit:
    def __init__(self, limit):
        self.limit, self.buffer = limit, b""

    def feed(self, data):
        self.buffer += data
        lines = []
        while True:
            line, newline, rest = self.buffer.partition(b"\n")
            if len(line) > self.limit:
                raise ValueError(f"more than {self.limit} bytes")
            if not newline:
                return lines
            lines.append(line.decode())
            self.buffer = rest


@bounded.right
class ByteByByteWithLimit:
    def __init__(self, limit):
        self.limit, self.line = limit, bytearray()

    def feed(self, data):
        found = []
        for byte in data:
            if byte == 10:
                found.append(self.line.decode())
                self.line = bytearray()
                continue
            self.line.append(byte)
            if len(self.line) > self.limit:
                raise ValueError
        return found


@bounded.wrong("without a newline, and nothing was raised")
class LooksAtWholeLinesOnly:
    def __init__(self, limit):
        self.limit, self.waiting = limit, b""

    def feed(self, data):
        *lines, self.waiting = (self.waiting + data).split(b"\n")
        if any(len(line) > self.limit for line in lines):
            raise ValueError("too long")
        return [line.decode() for line in lines]


@bounded.wrong("a short line and 101 bytes after it, in one feed, and nothing was raised")
class IgnoresWhatFollowsANewline:
    def __init__(self, limit):
        self.limit, self.waiting = limit, b""

    def feed(self, data):
        if len(self.waiting) + len(data) > self.limit and b"\n" not in data:
            raise ValueError("too long")
        *lines, self.waiting = (self.waiting + data).split(b"\n")
        if any(len(line) > self.limit for line in lines):
            raise ValueError("too long")
        return [line.decode() for line in lines]


@bounded.wrong("raised ValueError")
class BoundsTheReceive:
    def __init__(self, limit):
        self.limit, self.waiting = limit, b""

    def feed(self, data):
        if len(self.waiting + data) > self.limit:
            raise ValueError("too long")
        *lines, self.waiting = (self.waiting + data).split(b"\n")
        return [line.decode() for line in lines]


@bounded.wrong("in 51 characters, and nothing was raised")
class CountsCharacters:
    def __init__(self, limit):
        self.limit, self.waiting = limit, b""

    def feed(self, data):
        *lines, self.waiting = (self.waiting + data).split(b"\n")
        lines = [line.decode() for line in lines]
        if len(self.waiting) > self.limit or any(len(line) > self.limit for line in lines):
            raise ValueError("too long")
        return lines


@bounded.wrong("raised ValueError")
class OffByOne:
    def __init__(self, limit):
        self.limit, self.waiting = limit, b""

    def feed(self, data):
        *lines, self.waiting = (self.waiting + data).split(b"\n")
        if any(len(line) >= self.limit for line in [*lines, self.waiting]):
            raise ValueError("too long")
        return [line.decode() for line in lines]


@bounded.wrong("you raised OverflowError")
class AnotherError:
    def __init__(self, limit):
        self.limit, self.waiting = limit, b""

    def feed(self, data):
        *lines, self.waiting = (self.waiting + data).split(b"\n")
        if any(len(line) > self.limit for line in [*lines, self.waiting]):
            raise OverflowError("too long")
        return [line.decode() for line in lines]
