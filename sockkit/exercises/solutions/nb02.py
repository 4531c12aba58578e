"""Model solutions of lesson 02: finding messages in a stream of bytes."""
# Typed by a learner: without annotations or docstrings.
# mypy: allow-untyped-defs
# ruff: noqa: D101, D102, D103


def receive_text(connection):
    data = b""
    while piece := connection.recv(1024):
        data += piece
    return data.decode()


class LineDecoder:
    def __init__(self):
        self.waiting = b""

    def feed(self, data):
        *lines, self.waiting = (self.waiting + data).split(b"\n")
        return [line.decode() for line in lines]


class BoundedDecoder:
    def __init__(self, limit):
        self.limit = limit
        self.waiting = b""

    def feed(self, data):
        *lines, self.waiting = (self.waiting + data).split(b"\n")
        if any(len(line) > self.limit for line in [*lines, self.waiting]):
            raise ValueError("a line is too long")
        return [line.decode() for line in lines]


class Prefixed:
    def __init__(self):
        self.waiting = b""

    def encode(self, message):
        return len(message).to_bytes(4, "big") + message

    def feed(self, data):
        self.waiting += data
        messages = []
        while len(self.waiting) >= 4:
            end = 4 + int.from_bytes(self.waiting[:4], "big")
            if len(self.waiting) < end:
                break
            messages.append(self.waiting[4:end])
            self.waiting = self.waiting[end:]
        return messages
