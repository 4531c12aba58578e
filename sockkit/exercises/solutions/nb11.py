"""Model solutions of lesson 11: one room on several servers, and one figure of several machines."""
# Typed by a learner: without annotations or docstrings.
# mypy: allow-untyped-defs
# ruff: noqa: D101, D102, D103

import contextlib


def one_room(server, name, exchange):
    def hear(sender, text):
        if sender != name:
            server.broadcast(text)

    def say(text):
        server.broadcast(text)
        with contextlib.suppress(ConnectionError):
            exchange.publish(name, text)

    exchange.subscribe(hear)
    return say


def fresh(server, serial, last):
    if serial <= last.get(server, 0):
        return False
    last[server] = serial
    return True


class Presence:
    def __init__(self):
        self.told = {}

    def heard(self, server, numbers, now):
        self.told[server] = (list(numbers), now + 3)

    def here(self, now):
        return [
            f"{number}@{server}"
            for server, (numbers, until) in self.told.items()
            if now < until
            for number in numbers
        ]


def merged(parts, percent):
    together = sorted(latency for part in parts for latency in part)
    rank = max(1, -int(-len(together) * percent // 100))
    return together[rank - 1]
