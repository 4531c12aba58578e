"""Answers to the last exercise of lesson 02: length prefixes."""

import struct

from sockkit.exercises import nb02 as ex

from ..table import Table

prefixed = Table(ex.prefixed)


@prefixed.stub
class BlankPrefixed:
    def encode(self, message): ...

    def feed(self, data): ...


@prefixed.right
class WithStruct:
    def __init__(self):
        self.buffer = bytearray()

    def encode(self, message):
        return struct.pack(">I", len(message)) + message

    def feed(self, data):
        self.buffer.extend(data)
        found = []
        while len(self.buffer) >= 4 and len(self.buffer) - 4 >= self.size():
            end = 4 + self.size()
            found.append(bytes(self.buffer[4:end]))
            del self.buffer[:end]
        return found

    def size(self):
        return struct.unpack_from(">I", self.buffer)[0]


@prefixed.right
class AsAGenerator:
    def __init__(self):
        self.found = []
        self.steps = self.run()
        next(self.steps)

    @staticmethod
    def encode(message):
        return b"".join([struct.pack("!L", len(message)), message])

    def run(self):
        data = b""
        while True:
            while len(data) < 4:
                data += yield
            size, data = int.from_bytes(data[:4], "big"), data[4:]
            while len(data) < size:
                data += yield
            self.found.append(data[:size])
            data = data[size:]

    def feed(self, data):
        self.found = []
        self.steps.send(data)
        return self.found


class _Model(ex.prefixed.model):
    """The model solution, for answers that are wrong in one place."""


@prefixed.right
class ReusesItsList(_Model):
    def __init__(self):
        super().__init__()
        self.messages = []

    def feed(self, data):
        self.messages[:] = super().feed(data)
        return self.messages


@prefixed.wrong("You encoded `b'one'` as `None`.*return what it makes")
class ReturnsNoFrame(_Model):
    def encode(self, message):
        super().encode(message)


@prefixed.wrong("Which byte of the length comes first")
class LittleEndian(_Model):
    def encode(self, message):
        return len(message).to_bytes(4, "little") + message


@prefixed.wrong("Which byte of the length comes first, and what does it count")
class CountsTheHeader(_Model):
    def encode(self, message):
        return (len(message) + 4).to_bytes(4, "big") + message


@prefixed.wrong("fewer")
class OneMessagePerReceive(_Model):
    def feed(self, data):
        self.waiting += data
        if len(self.waiting) < 4:
            return []
        end = 4 + int.from_bytes(self.waiting[:4], "big")
        if len(self.waiting) < end:
            return []
        message, self.waiting = self.waiting[4:end], self.waiting[end:]
        return [message]


@prefixed.wrong("fewer|came out as|raised")
class WantsAWholeHeader(_Model):
    def feed(self, data):
        if len(data) < 4 and not self.waiting:
            return []
        return super().feed(data)


@prefixed.wrong("message 2 is missing: in its place came.*An empty message is a message")
class SkipsEmptyMessages(_Model):
    def feed(self, data):
        return [message for message in super().feed(data) if message]


@prefixed.wrong("fewer")
class WaitsForMoreThanAHeader(_Model):
    def feed(self, data):
        self.waiting += data
        messages = []
        while len(self.waiting) > 4:
            end = 4 + int.from_bytes(self.waiting[:4], "big")
            if len(self.waiting) < end:
                break
            messages.append(self.waiting[4:end])
            self.waiting = self.waiting[end:]
        return messages


class _ByHand(_Model):
    def size(self):
        return int.from_bytes(self.waiting[:4], "big")

    def feed(self, data):
        self.waiting += data
        messages = []
        while len(self.waiting) >= 4 and len(self.waiting) >= 4 + self.size():
            end = 4 + self.size()
            messages.append(bytes(self.waiting[4:end]))
            self.waiting = self.waiting[end:]
        return messages


@prefixed.right
class ByHand(_ByHand):
    """So that those below are wrong in one place."""


@prefixed.wrong(r"you returned `\[\]`.*Expected: `\[b'one'\]`.*whole by then")
class WaitsForAReceiveThatEndsAMessage(_ByHand):
    def feed(self, data):
        rest = self.waiting + data
        at = 0
        while at + 4 <= len(rest):
            at += 4 + int.from_bytes(rest[at : at + 4], "big")
        if at == len(rest):
            return super().feed(data)
        self.waiting = rest
        return []


@prefixed.wrong(r"\(4,464 bytes\).*\(70,000 bytes\)")
class ReadsTwoBytesOfTheLength(_ByHand):
    def size(self):
        return self.waiting[2] * 256 + self.waiting[3]


@prefixed.wrong("raised OverflowError")
class WritesTwoBytesOfTheLength(_Model):
    def encode(self, message):
        return bytes(2) + len(message).to_bytes(2, "big") + message


@prefixed.wrong("You encoded")
class WritesTwoBytesOfAnyLength(_Model):
    def encode(self, message):
        return bytes([0, 0, len(message) // 256 % 256, len(message) % 256]) + message


@prefixed.wrong("something that both share")
class SharesItsBuffer(_ByHand):
    all_waiting = bytearray()

    def feed(self, data):
        self.waiting = bytes(self.all_waiting)
        messages = super().feed(data)
        self.all_waiting[:] = self.waiting
        return messages


@prefixed.wrong("Message 1 is a str: `'hello'`.*Expected: bytes")
class ReturnsText(_Model):
    def feed(self, data):
        return [message.decode() for message in super().feed(data)]


@prefixed.wrong("Message 1 is a str: `'hello'`.*Expected: bytes")
class ReturnsLatinText(_Model):
    def feed(self, data):
        return [message.decode("latin-1") for message in super().feed(data)]
