"""Answers to the exercises of lesson 04."""

import contextlib

from sockkit import SockkitError, UnknownClient
from sockkit.exercises import nb04 as ex

from ..table import Table

stamp = Table(ex.stamp)


@stamp.stub
def blank(connection, text): ...


@stamp.right
def by_joining(connection, text):
    connection.send("client " + str(connection.number) + ": " + text)


@stamp.right
async def as_a_coroutine(connection, text):
    connection.send(f"client {connection.number}: {text}")


@stamp.right
def remembered_in_the_state(connection, text):
    if not hasattr(connection.state, "stamp"):
        connection.state.stamp = f"client {connection.number}: "
    connection.send(connection.state.stamp + text)


_seen: list = []


@stamp.wrong("Client 1 left, a third one came, and said `hello`. It got `client 2: hello`")
def by_place_in_a_list(connection, text):
    _seen[:] = [c for c in _seen if c.reason is None]
    if connection not in _seen:
        _seen.append(connection)
    connection.send(f"client {_seen.index(connection) + 1}: {text}")


@stamp.wrong("got `client 127.0.0.1: hello`")
def by_host(connection, text):
    connection.send(f"client {connection.address[0]}: {text}")


@stamp.wrong("Client 1 said `hello`, and got nothing")
def returns_it(connection, text):
    return f"client {connection.number}: {text}"


@stamp.wrong("got `hello`")
def without_a_stamp(connection, text):
    connection.send(text)


to_one = Table(ex.to_one)


@to_one.stub
def blank_to_one(server, connection, text): ...


@to_one.right
def through_the_snapshot(server, connection, text):
    number, _, message = text.partition(" ")
    server.clients[int(number)].send(f"from {connection.number}: {message}")


@to_one.right
async def to_one_as_a_coroutine(server, connection, text):
    number, message = text.split(maxsplit=1)
    server.send(int(number), f"from {connection.number}: {message}")


@to_one.wrong("What does the 2 count")
def by_position(server, connection, text):
    number, message = text.split(" ", 1)
    place = list(server.clients.values())[int(number) - 1]
    place.send(f"from {connection.number}: {message}")


@to_one.wrong("client 1 got|client 3 got")
def to_everybody(server, connection, text):
    _, message = text.split(" ", 1)
    server.broadcast(f"from {connection.number}: {message}")


@to_one.wrong("UnknownClient")
def number_left_as_text(server, connection, text):
    number, message = text.split(" ", 1)
    server.send(number, f"from {connection.number}: {message}")


@to_one.wrong("Client 2 got `from 2: psst`")
def names_the_receiver(server, connection, text):
    number, message = text.split(" ", 1)
    server.send(int(number), f"from {number}: {message}")


@to_one.wrong("raised ValueError")
def splits_everywhere(server, connection, text):
    number, message = text.split(" ")
    server.send(int(number), f"from {connection.number}: {message}")


@to_one.wrong("client 2 said `12 psst`|UnknownClient")
def takes_one_digit(server, connection, text):
    server.send(int(text[0]), f"from {connection.number}: {text[2:]}")


@to_one.wrong("Client 12 got nothing")
def knows_nine_clients_only(server, connection, text):
    with contextlib.suppress(UnknownClient):
        server.send(int(text[0]), f"from {connection.number}: {text[2:]}")


to_known = Table(ex.to_known)


@to_known.stub
def blank_to_known(server, connection, text): ...


@to_known.right
def looks_first(server, connection, text):
    number, _, message = text.partition(" ")
    clients = {str(n): client for n, client in server.clients.items()}
    if number in clients:
        clients[number].send(f"from {connection.number}: {message}")
    else:
        connection.send(f"no client {number}")


@to_known.right
def catches_what_is_above(server, connection, text):
    number, _, message = text.partition(" ")
    try:
        server.send(int(number), f"from {connection.number}: {message}")
    except (LookupError, ValueError):
        connection.send("no client " + number)


@to_known.wrong("UnknownClient")
def catches_nothing(server, connection, text):
    number, _, message = text.partition(" ")
    server.send(int(number), f"from {connection.number}: {message}")


@to_known.wrong("ValueError")
def forgets_what_is_no_number(server, connection, text):
    number, _, message = text.partition(" ")
    try:
        server.send(int(number), f"from {connection.number}: {message}")
    except UnknownClient:
        connection.send(f"no client {number}")


@to_known.wrong("got nothing")
def swallows_the_error(server, connection, text):
    number, _, message = text.partition(" ")
    with contextlib.suppress(SockkitError, ValueError):
        server.send(int(number), f"from {connection.number}: {message}")


@to_known.wrong("was disconnected")
def kicks_the_sender(server, connection, text):
    number, _, message = text.partition(" ")
    try:
        server.send(int(number), f"from {connection.number}: {message}")
    except (UnknownClient, ValueError):
        connection.close()


@to_known.right
def takes_the_message_last(server, connection, text):
    number, *message = text.split(" ", 1)
    if number.isdecimal() and int(number) in server.clients:
        server.send(int(number), f"from {connection.number}: {' '.join(message)}")
    else:
        connection.send(f"no client {number}")


@to_known.wrong("NameError|UnboundLocalError|ValueError")
def expects_two_words(server, connection, text):
    try:
        number, message = text.split(" ", 1)
        server.send(int(number), f"from {connection.number}: {message}")
    except (UnknownClient, ValueError):
        connection.send(f"no client {number}")


to_others = Table(ex.to_others)


@to_others.stub
def blank_to_others(server, connection, text): ...


@to_others.right
def one_by_one(server, connection, text):
    for number, client in server.clients.items():
        if number != connection.number:
            client.send(f"{connection.number}: {text}")


@to_others.right
def excluding_a_set(server, connection, text):
    server.broadcast(f"{connection.number}: {text}", exclude={connection.number})


@to_others.wrong("and client 1 got `1: hello`")
def to_all(server, connection, text):
    server.broadcast(f"{connection.number}: {text}")


@to_others.wrong("raised TypeError")
def excludes_a_number(server, connection, text):
    server.broadcast(f"{connection.number}: {text}", exclude=connection.number)


@to_others.wrong(r"raised TypeError: exclude takes numbers \(connection.number\), not <Connection")
def excludes_the_connection(server, connection, text):
    server.broadcast(f"{connection.number}: {text}", exclude=[connection])


@to_others.wrong("got `hello`")
def forgets_the_number(server, connection, text):
    server.broadcast(text, exclude=[connection.number])
