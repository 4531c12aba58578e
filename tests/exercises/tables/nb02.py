"""Answers to the exercises of lesson 02."""

import codecs
import contextlib
import socket

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


@receive_text.wrong(r"\(4,0\d\d characters\), and you returned .*every character")
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


@receive_text.right
def with_a_buffer_of_the_system(connection):
    with connection, connection.makefile("rb") as stream:
        return stream.read().decode("utf-8")


@receive_text.right
def with_small_timeouts(connection):
    connection.settimeout(0.02)
    data = bytearray()
    while True:
        try:
            piece = connection.recv(7)
        except TimeoutError:
            continue
        if not piece:
            return str(data, "utf-8")
        data.extend(piece)


@receive_text.wrong("had not finished, but you returned `'caf.,.n'`.*tells you that nothing more")
def takes_a_line_for_all(connection):
    return connection.makefile(encoding="utf-8").readline()


@receive_text.wrong("had not finished, but you returned `'caf.,.n'`.*tells you that nothing more")
def takes_a_newline_for_the_end(connection):
    data = b""
    while not data.endswith(b"\n"):
        data += connection.recv(1024)
    return data.decode()


@receive_text.wrong("had not finished, but you returned.*tells you that nothing more")
def until_it_can_be_decoded(connection):
    data = b""
    while True:
        data += connection.recv(1024)
        try:
            return data.decode()
        except UnicodeDecodeError:
            pass


@receive_text.wrong("had not finished, but you returned.*tells you that nothing more")
def two_receives(connection):
    return b"".join(connection.recv(1024) for _ in range(2)).decode()


@receive_text.wrong("had not finished, but you returned.*tells you that nothing more")
def takes_a_pause_for_the_end(connection):
    connection.settimeout(0.05)
    data = b""
    try:
        while piece := connection.recv(1024):
            data += piece
    except TimeoutError:
        pass
    return data.decode(errors="ignore")


@receive_text.wrong("had not finished, but you returned.*tells you that nothing more")
def takes_a_second_for_the_end(connection):
    connection.settimeout(1)
    data = b""
    with contextlib.suppress(TimeoutError):
        while piece := connection.recv(1024):
            data += piece
    return data.decode(errors="ignore")


@receive_text.wrong("had not finished, but you returned.*tells you that nothing more")
def as_much_as_there_was(connection):
    with connection:
        return connection.recv(32, socket.MSG_WAITALL).decode(errors="ignore")


@receive_text.wrong("every character of it")
def strips_the_text(connection):
    data = b""
    while piece := connection.recv(1024):
        data += piece
    return data.decode().strip()


@receive_text.wrong("every character of it")
def loses_the_newlines(connection):
    data = b""
    while piece := connection.recv(1024):
        data += piece
    return "".join(data.decode().splitlines())


@receive_text.wrong("I cut in the middle of a character")
def replaces_what_does_not_fit(connection):
    text = ""
    while data := connection.recv(1024):
        text += data.decode(errors="replace")
    return text


@receive_text.wrong("raised UnicodeDecodeError")
def decodes_the_first_and_closes(connection):
    with connection:
        return connection.recv(1024).decode()


class _EqualToAll(str):
    __slots__ = ()

    def __eq__(self, other):
        return True

    def __ne__(self, other):
        return False

    __hash__ = str.__hash__


@receive_text.wrong("Expected: a str")
def says_it_is_equal(connection):
    while connection.recv(1024):
        pass
    return _EqualToAll()


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


@decoder.wrong("message 4 came out as `'spÃ¤te GÃ¤ste'`.*Which bytes did you decode, and as what")
class DecodesAsAnother(_Splits):
    def feed(self, data):
        return [line.encode().decode("latin-1") for line in super().feed(data)]


@decoder.wrong("message 4 came out as `'spte Gste'`.*Which bytes did you decode, and as what")
class IgnoresWhatIsCut:
    def __init__(self):
        self.waiting = ""

    def feed(self, data):
        *lines, self.waiting = (self.waiting + data.decode(errors="ignore")).split("\n")
        return lines


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


@decoder.right
class ReusesItsList:
    def __init__(self):
        self.waiting, self.lines = b"", []

    def feed(self, data):
        self.lines.clear()
        *whole, self.waiting = (self.waiting + data).split(b"\n")
        self.lines.extend(line.decode() for line in whole)
        return self.lines


@decoder.wrong(r"I fed `b'one.nt'`, and you returned `\[\]`.*Expected: `\['one'\]`.*whole by then")
class WaitsForAReceiveThatEndsALine(_Splits):
    def feed(self, data):
        self.waiting += data
        return super().feed(b"") if self.waiting.endswith(b"\n") else []


@decoder.wrong(r"With receives of 1 byte I fed `b'.n'`, and you returned `\[\]`")
class WaitsForTheWholeStream(_Splits):
    def feed(self, data):
        self.waiting += data
        return super().feed(b"") if len(self.waiting) >= 5046 else []


@decoder.wrong(r"message 6 came out as `'x.*\(1,024 characters\).*\(5,000 characters\)")
class CutsLongLines(_Splits):
    def feed(self, data):
        return [line[:1024] for line in super().feed(data)]


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


@bounded.wrong("a line of exactly 100 bytes, and you raised ValueError: too long")
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


@bounded.wrong("a line of exactly 100 bytes, and you raised ValueError: too long")
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


@bounded.wrong("a whole line of 101 bytes, and you raised TypeError: can only concatenate str")
class FailsWhereItRefuses:
    def __init__(self, limit):
        self.limit, self.waiting = limit, b""

    def feed(self, data):
        *lines, self.waiting = (self.waiting + data).split(b"\n")
        for line in [*lines, self.waiting]:
            if len(line) > self.limit:
                raise ValueError("too long: " + len(line))
        return [line.decode() for line in lines]


class _Bounded:
    def __init__(self, limit):
        self.limit, self.waiting = limit, b""

    def feed(self, data):
        *lines, self.waiting = (self.waiting + data).split(b"\n")
        self.look_at(lines)
        return [line.decode() for line in lines]

    def look_at(self, lines):
        if self.too_long(self.waiting) or any(self.too_long(line) for line in lines):
            raise ValueError("too long")

    def too_long(self, line):
        return len(line) > self.limit


@bounded.right
class ReusesItsListWithLimit(_Bounded):
    def __init__(self, limit):
        super().__init__(limit)
        self.lines = []

    def feed(self, data):
        self.lines[:] = super().feed(data)
        return self.lines


@bounded.wrong("between two good ones, in one feed, and nothing was raised.*Which lines")
class LooksAtTheLast(_Bounded):
    def look_at(self, lines):
        if any(self.too_long(line) for line in [self.waiting, *lines[-1:]]):
            raise ValueError("too long")


@bounded.wrong("between two good ones, in one feed, and nothing was raised.*Which lines")
class LooksAtTheFirst(_Bounded):
    def look_at(self, lines):
        if any(self.too_long(line) for line in [self.waiting, *lines[:1]]):
            raise ValueError("too long")


@bounded.wrong("between two good ones, in one feed, and nothing was raised.*Which lines")
class LooksAtTheAverage(_Bounded):
    def look_at(self, lines):
        average = sum(map(len, lines)) / max(1, len(lines))
        if self.too_long(self.waiting) or average > self.limit:
            raise ValueError("too long")


@bounded.wrong("The limit was 6000 bytes. I fed .*you raised ValueError")
class KnowsTheLimit(_Bounded):
    def too_long(self, line):
        return len(line) > 100


@bounded.wrong("The limit was 20 bytes.*nothing was raised")
class BoundsAtLeastAHundred(_Bounded):
    def too_long(self, line):
        return len(line) > max(self.limit, 100)


@bounded.wrong("The limit was 6000 bytes. I fed .*you raised ValueError")
class BoundsAtMostAThousand(_Bounded):
    def too_long(self, line):
        return len(line) > min(self.limit, 1000)


@bounded.wrong("102 bytes without a newline, in 51 characters, and nothing was raised")
class CountsCharactersThatWait(_Bounded):
    def look_at(self, lines):
        waits = len(self.waiting.decode(errors="ignore")) > self.limit
        if waits or any(self.too_long(line) for line in lines):
            raise ValueError("too long")


@bounded.wrong("exactly 100 bytes.*you raised ValueError: too long")
class AllowsLessToWait(_Bounded):
    def look_at(self, lines):
        if len(self.waiting) >= self.limit or any(self.too_long(line) for line in lines):
            raise ValueError("too long")


@bounded.wrong("something that both share")
class SharesItsBoundedBuffer(_Bounded):
    waits = bytearray()

    def feed(self, data):
        self.waits += data
        *lines, self.waiting = bytes(self.waits).split(b"\n")
        self.waits[:] = self.waiting
        self.look_at(lines)
        return [line.decode() for line in lines]


@bounded.wrong("message 9 came out as `''`.*characters off")
class StripsItsBoundedLines(_Bounded):
    def feed(self, data):
        return [line.strip() for line in super().feed(data)]


@bounded.wrong("An empty message is a message")
class DropsEmptyBoundedLines(_Bounded):
    def feed(self, data):
        return [line for line in super().feed(data) if line]


@bounded.wrong("Which characters end a message")
class SplitsLikeSplitlinesWithLimit(_Bounded):
    def feed(self, data):
        return [part for line in super().feed(data) for part in line.splitlines() or [""]]


@bounded.wrong(r"raised ValueError: .*unpack")
class FailsByAccident(_Bounded):
    def feed(self, data):
        (line,) = (self.waiting + data).split(b"\n")
        return [line.decode()]


@bounded.wrong(r"you returned `\[\]`.*whole by then")
class WaitsForAReceiveThatEndsALineWithLimit(_Bounded):
    def feed(self, data):
        self.waiting += data
        if self.waiting.endswith(b"\n"):
            return super().feed(b"")
        if any(self.too_long(line) for line in self.waiting.split(b"\n")):
            raise ValueError("too long")
        return []


@bounded.wrong("many lines of at most 100 bytes, in one receive, and you raised ValueError")
class BoundsAllThatIsFed(_Bounded):
    def look_at(self, lines):
        if sum(map(len, lines)) + len(self.waiting) > self.limit:
            raise ValueError("too long")
