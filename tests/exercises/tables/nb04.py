"""Answers to the exercises of lesson 04."""

import contextlib
import itertools

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


@stamp.wrong("Client 2 said `good morning`, and got `client 1: good morning`")
def by_place_in_a_list(connection, text):
    _seen[:] = [c for c in _seen if c.reason is None]
    if connection not in _seen:
        _seen.append(connection)
    connection.send(f"client {_seen.index(connection) + 1}: {text}")


@stamp.wrong("got `client 127.0.0.1: good morning`")
def by_host(connection, text):
    connection.send(f"client {connection.address[0]}: {text}")


@stamp.wrong("Client 2 said `good morning`, and got nothing")
def returns_it(connection, text):
    return f"client {connection.number}: {text}"


@stamp.wrong("got `good morning`")
def without_a_stamp(connection, text):
    connection.send(text)


_spoke: list = []


@stamp.wrong("Client 2 said `good morning`, and got `client 1: good morning`")
def by_order_of_speaking(connection, text):
    if all(c.reason for c in _spoke):
        _spoke.clear()
    if connection not in _spoke:
        _spoke.append(connection)
    connection.send(f"client {_spoke.index(connection) + 1}: {text}")


_numbers = itertools.count(1)


@stamp.wrong("Client 2 said `good morning`, and got `client [^2]")
def counts_those_who_speak(connection, text):
    if not connection.name:
        connection.name = str(next(_numbers))
    connection.send(f"client {connection.name}: {text}")


@stamp.wrong(
    "Client 1 left, and a third one came.*got `client 1: hello`.*after its client has gone"
)
def gives_it_again(connection, text):
    connection.send(f"client {connection.number if connection.number < 3 else 1}: {text}")


@stamp.wrong("got `client 2: hello`")
def learnt_by_heart(connection, text):
    connection.send(f"client {connection.number}: hello")


@stamp.wrong("got `client 2: good`")
def the_first_word(connection, text):
    connection.send(f"client {connection.number}: {text.split()[0]}")


@stamp.wrong("and got `client 1: hello  to every`")
def cuts_it(connection, text):
    connection.send(f"client {connection.number}: {text[:15]}")


@stamp.wrong("The words are right, the blanks are not")
def joins_the_words(connection, text):
    connection.send(f"client {connection.number}: {' '.join(text.split())}")


@stamp.wrong("The words are right, the blanks are not")
def strips(connection, text):
    connection.send(f"client {connection.number}: {text.strip()}")


@stamp.wrong("Client 2 said `good morning`, and after its line client 2 got `good morning` as well")
def answers_twice(connection, text):
    connection.send(f"client {connection.number}: {text}")
    connection.send(text)


@stamp.wrong("Client 2 said `good morning`, and client 2 was disconnected")
def closes_after_the_answer(connection, text):
    connection.send(f"client {connection.number}: {text}")
    connection.close()


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


@to_one.right
def cuts_at_the_blank(server, connection, text):
    blank = text.index(" ")
    server.send(int(text[:blank]), f"from {connection.number}: {text[blank + 1 :]}")


@to_one.wrong("client 3 got nothing, and client 4 got `from 4: a.*What does the 3 count")
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


@to_one.wrong("client 2 got `from 2: psst`")
def names_the_receiver(server, connection, text):
    number, message = text.split(" ", 1)
    server.send(int(number), f"from {number}: {message}")


@to_one.wrong("raised ValueError")
def splits_everywhere(server, connection, text):
    number, message = text.split(" ")
    server.send(int(number), f"from {connection.number}: {message}")


@to_one.wrong("Client 3 said `12 psst`, and client 12 got nothing, and client 1 got")
def takes_one_digit(server, connection, text):
    server.send(int(text[0]), f"from {connection.number}: {text[2:]}")


@to_one.wrong("client 12 got nothing.*Where does the number end")
def knows_nine_clients_only(server, connection, text):
    with contextlib.suppress(UnknownClient):
        server.send(int(text[0]), f"from {connection.number}: {text[2:]}")


@to_one.wrong("Client 3 said `12 psst`, and client 1 got `from 3: psst`.*Who is it for")
def to_all_that_begin_so(server, connection, text):
    number, message = text.split(" ", 1)
    for other in server.clients:
        if number.startswith(str(other)):
            server.send(other, f"from {connection.number}: {message}")


@to_one.wrong("Client 3 said `12 psst`, and client 1 got `from 3: psst`")
def to_all_that_are_in_it(server, connection, text):
    number, message = text.split(" ", 1)
    for other in server.clients:
        if str(other) in number:
            server.send(other, f"from {connection.number}: {message}")


@to_one.wrong("Client 12 said `1 good morning`, and client 12 got `from 12: good morning`")
def to_all_that_it_is_in(server, connection, text):
    number, message = text.split(" ", 1)
    for other in server.clients:
        if number in str(other):
            server.send(other, f"from {connection.number}: {message}")


@to_one.wrong("Client 3 said `12 psst`, and client 3 got `sent`")
def tells_the_sender(server, connection, text):
    number, message = text.split(" ", 1)
    server.send(int(number), f"from {connection.number}: {message}")
    if len(number) > 1:
        connection.send("sent")


@to_one.wrong("client 3 got `from 4: a message of some words`.*The words are right")
def joins_the_words_again(server, connection, text):
    number, *words = text.split()
    server.send(int(number), f"from {connection.number}: {' '.join(words)}")


@to_one.wrong("client 3 got `from 4: a message  of some words`.*The words are right")
def strips_the_message(server, connection, text):
    number, message = text.strip().split(" ", 1)
    server.send(int(number), f"from {connection.number}: {message}")


@to_one.wrong(r"client 3 got `from 4: a`\.(?!.*What does the 3 count)")
def one_word_only(server, connection, text):
    number, message = text.split()[:2]
    server.send(int(number), f"from {connection.number}: {message}")


@to_one.wrong("Client 1 said `2 psst`, and after its line client 2 got `from 1: psst` as well")
def sends_twice(server, connection, text):
    cuts_at_the_blank(server, connection, text)
    cuts_at_the_blank(server, connection, text)


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


@to_known.wrong("`7 hello` .7 never came., and got nothing.*Which error is raised")
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


@to_known.wrong("raised ValueError: invalid literal for int.*'²'.*Expected: `no client ²`")
def takes_a_digit_for_a_number(server, connection, text):
    word, _, message = text.partition(" ")
    if word.isdigit() and int(word) in server.clients:
        server.send(int(word), f"from {connection.number}: {message}")
    else:
        connection.send(f"no client {word}")


@to_known.wrong("`1 hello` .1 has left., and got `from 2: hello`")
def by_place(server, connection, text):
    word, _, message = text.partition(" ")
    room = list(server.clients.values())
    if word.isdecimal() and 0 < int(word) <= len(room):
        room[int(word) - 1].send(f"from {connection.number}: {message}")
    else:
        connection.send(f"no client {word}")


@to_known.wrong("UnknownClient")
def counts_who_is_here(server, connection, text):
    word, _, message = text.partition(" ")
    if word.isdecimal() and 1 <= int(word) <= len(server.clients):
        server.send(int(word), f"from {connection.number}: {message}")
    else:
        connection.send(f"no client {word}")


_came: set = set()


@to_known.wrong("UnknownClient")
def remembers_all_who_came(server, connection, text):
    _came.update(server.clients)
    word, _, message = text.partition(" ")
    if word.isdecimal() and int(word) in _came:
        server.send(int(word), f"from {connection.number}: {message}")
    else:
        connection.send(f"no client {word}")


@to_known.wrong(
    "Client 2 said `3 good morning`, and client 3 got nothing, and client 2 got `no client 3`"
)
def knows_client_2_only(server, connection, text):
    word, _, message = text.partition(" ")
    if word == "2":
        server.send(2, f"from {connection.number}: {message}")
    else:
        connection.send(f"no client {word}")


@to_known.wrong(
    "Client 2 said `3 good morning`, and client 2 got `no client 3`.*nothing for that one"
)
def searches_without_a_break(server, connection, text):
    word, _, message = text.partition(" ")
    for number, client in server.clients.items():
        if word == str(number):
            client.send(f"from {connection.number}: {message}")
    else:
        connection.send(f"no client {word}")


@to_known.wrong("Client 2 said `3 good morning`, and client 2 got `no client 3`")
def always_says_no(server, connection, text):
    word, _, message = text.partition(" ")
    with contextlib.suppress(UnknownClient, ValueError):
        server.send(int(word), f"from {connection.number}: {message}")
    connection.send(f"no client {word}")


@to_known.wrong("`33 hello` .33 never came., and got nothing, and client 3 got `from 2: hello`")
def to_who_begins_so(server, connection, text):
    word, _, message = text.partition(" ")
    for number in server.clients:
        if word.startswith(str(number)):
            server.send(number, f"from {connection.number}: {message}")
            break
    else:
        connection.send(f"no client {word}")


@to_known.wrong("and got `no such client: 7`(?!.*Which error)")
def says_it_in_other_words(server, connection, text):
    word, _, message = text.partition(" ")
    try:
        server.send(int(word), f"from {connection.number}: {message}")
    except (UnknownClient, ValueError):
        connection.send(f"no such client: {word}")


@to_known.wrong("Client 2 said `7 hello` .7 never came., and client 2 was disconnected")
def answers_and_closes(server, connection, text):
    word, _, message = text.partition(" ")
    try:
        server.send(int(word), f"from {connection.number}: {message}")
    except (UnknownClient, ValueError):
        connection.send(f"no client {word}")
        connection.close()


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


@to_others.right
def to_all_who_are_not_it(server, connection, text):
    for client in server.clients.values():
        if client is not connection:
            client.send(f"{connection.number}: {text}")


@to_others.wrong("Client 2 left. Client 1 said `who is  there. `, and client 3 got nothing")
def counts_up_to_how_many_are_here(server, connection, text):
    for number in range(1, len(server.clients) + 1):
        if number != connection.number:
            with contextlib.suppress(UnknownClient):
                server.send(number, f"{connection.number}: {text}")


@to_others.wrong("Client 3 said `welcome`, and client 12 got nothing")
def knows_three(server, connection, text):
    for number in {1, 2, 3} - {connection.number}:
        with contextlib.suppress(UnknownClient):
            server.send(number, f"{connection.number}: {text}")


@to_others.wrong("client 3 got `1: who i`")
def cuts_what_was_said(server, connection, text):
    server.broadcast(f"{connection.number}: {text[:5]}", exclude=[connection.number])


@to_others.wrong("The words are right, the blanks are not")
def strips_what_was_said(server, connection, text):
    server.broadcast(f"{connection.number}: {text.strip()}", exclude=[connection.number])


@to_others.wrong("a twelfth one came. Client 12 said `here I am`, and client 1 got nothing")
def compares_digits(server, connection, text):
    for number in server.clients:
        if str(number) not in str(connection.number):
            server.send(number, f"{connection.number}: {text}")


@to_others.wrong("Client 1 said `hello`, and after its line client [23] got `1: hello` as well")
def says_it_twice(server, connection, text):
    excluding_a_set(server, connection, text)
    excluding_a_set(server, connection, text)
