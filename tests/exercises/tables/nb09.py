"""Answers to the exercises of lesson 09."""

import asyncio
import contextlib
import functools
import html
import re
import socket
import ssl
import struct
import sys
import time
import unicodedata

from sockkit.exercises import nb09 as ex
from sockkit.text import plain

from ..table import Table

ON_LINUX = sys.platform == "linux"  # elsewhere `close` wakes, and TIME_WAIT may be no obstacle

stop = Table(ex.stop)


@stop.stub
def blank_stop(server): ...


@stop.right
def by_a_knock_at_the_closed_door(server):
    address = server.listener.getsockname()
    server.listener.close()
    with contextlib.suppress(OSError):
        socket.create_connection(address).close()
    server.threads[0].join()
    for connection in server.connections:
        try:
            connection.shutdown(socket.SHUT_RDWR)
        except OSError:
            continue
    for thread in server.threads[1:]:
        thread.join()


@stop.right
def by_an_end_to_read(server):
    with contextlib.suppress(OSError):
        server.listener.shutdown(socket.SHUT_RD)
    server.listener.close()
    for connection in list(server.connections):
        if connection.fileno() != -1:
            connection.shutdown(socket.SHUT_RD)
    for thread in list(server.threads):
        thread.join(timeout=1)
    for connection in server.connections:
        connection.close()


@stop.wrong("still running when I stopped waiting")
def waits_for_who_waits(server):
    for thread in server.threads:
        thread.join()


@stop.wrong("threads still run, none in `accept`")
def forgets_the_clients(server):
    with contextlib.suppress(OSError):
        server.listener.shutdown(socket.SHUT_RDWR)
    server.listener.close()
    server.threads[0].join()


@stop.wrong("`stumbles` raised OSError")
def stumbles(server):
    with contextlib.suppress(OSError):
        server.listener.shutdown(socket.SHUT_RDWR)
    server.listener.close()
    server.threads[0].join()
    for connection in server.connections:
        connection.shutdown(socket.SHUT_RDWR)
        connection.close()
    for thread in server.threads:
        thread.join()


@stop.wrong("1 of 52 threads still run")
def forgets_the_first(server):
    for sock in (server.listener, *server.connections[1:]):
        with contextlib.suppress(OSError):
            sock.shutdown(socket.SHUT_RDWR)
        sock.close()
    for thread in server.threads[0], *server.threads[2:]:
        thread.join()


if ON_LINUX:

    @stop.wrong("threads still run, the one in `accept`")
    def only_closes(server):
        for sock in (server.listener, *server.connections):
            sock.close()

    @stop.wrong("still open: the listener")
    def leaves_the_listener(server):
        for sock in (server.listener, *server.connections):
            with contextlib.suppress(OSError):
                sock.shutdown(socket.SHUT_RDWR)
        for thread in server.threads:
            thread.join()


listen = Table(ex.listen)


@listen.stub
def blank_listen(address): ...


@listen.right
def in_one_line(address):
    return socket.create_server(address)


@listen.right
def closed_where_it_fails(address):
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    try:
        if sys.platform != "win32":
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, True)
        listener.bind(address)
        listener.listen(5)
    except OSError:
        listener.close()
        raise
    return listener


@listen.wrong("you listen on another one")
def anywhere(address):
    return socket.create_server((address[0], 0))


@listen.wrong("could not connect")
def bound_and_no_more(address):
    listener = socket.socket()
    listener.bind(address)
    return listener


@listen.wrong("still running when I stopped waiting")
def patient(address):
    while True:
        listener = socket.socket()
        try:
            listener.bind(address)
            listener.listen()
            return listener
        except OSError:
            listener.close()
            time.sleep(0.1)


@listen.wrong("You returned `<Server.*a socket that listens")
async def a_server_of_asyncio(address):
    return await asyncio.start_server(lambda reader, writer: writer.close(), *address)


@listen.wrong("You returned `None`")
def forgets_to_return_it(address):
    socket.create_server(address).close()


if ON_LINUX:

    @listen.wrong("Address already in use")
    def bare(address):
        listener = socket.socket()
        listener.bind(address)
        listener.listen()
        return listener

    @listen.wrong("Address already in use")
    def too_late(address):
        listener = socket.socket()
        listener.bind(address)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.listen()
        return listener

    @listen.wrong("my client read a reset.*What becomes of data that is still on its way")
    def hangs_up_on_everybody(address):
        listener = socket.socket()
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        listener.bind(address)
        listener.listen()
        return listener

    @listen.wrong("a second one at the same port")
    def shared(address):
        listener = socket.socket()
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        listener.bind(address)
        listener.listen()
        return listener

    @listen.wrong("Somebody listened there, .* you made a second one at the same port")
    def shares_if_it_must(address):
        try:
            return socket.create_server(address)
        except OSError:
            return socket.create_server(address, reuse_port=True)

    @listen.wrong("Beside your listener I made a second one at the same port")
    def asks_before_it_shares(address):
        with socket.socket() as probe:
            if address[1] and probe.connect_ex(address) == 0:
                raise OSError("in use")
        return socket.create_server(address, reuse_port=True)

    @listen.wrong("I asked for `127.0.0.2`, and you listen on `127.0.0.1`")
    def knows_the_host_by_heart(address):
        return socket.create_server(("127.0.0.1", address[1]))

    @listen.wrong("Address already in use")
    def only_the_second_time(address):
        listener = socket.socket()
        if address[1]:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
        listener.listen()
        return listener


@listen.wrong("gave me nobody.*Does a thread of yours accept")
def whose_clients_somebody_else_accepts(address):
    class Listener(socket.socket):  # a thread that waits in `accept` does the same, mostly
        def accept(self):
            raise TimeoutError("timed out")

    listener = Listener()
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind(address)
    listener.listen()
    return listener


@listen.wrong("You returned a socket that is closed")
def closed_at_the_end_of_with(address):
    with socket.create_server(address) as listener:
        return listener


@listen.wrong(r"I asked for `127[0-9.]*`, and you listen on `0\.0\.0\.0`")
def open_to_the_world(address):
    return socket.create_server(("", address[1]))


@listen.wrong("Somebody listened there, and you returned `None`.*raised to the caller")
def keeps_the_error(address):
    try:
        return socket.create_server(address)
    except OSError:
        return None


@listen.wrong("Somebody listened there, and you returned a listener at another port")
def falls_back_to_another_port(address):
    try:
        return socket.create_server(address)
    except OSError:
        return socket.create_server((address[0], 0))


def _once():
    known = {}

    def the_same_again(address):
        if address not in known or known[address].fileno() < 0:
            listener = socket.create_server(address)
            known[listener.getsockname()] = listener
            return listener
        return known[address]

    return the_same_again


listen.wrong("you returned the very listener that I had from you already")(_once())


def _in_its_place():
    listeners = []

    def takes_the_place(address):
        for listener in listeners:
            listener.close()
        listeners.append(socket.create_server(address))
        return listeners[-1]

    return takes_the_place


listen.wrong("Your own listener was there, and you closed it")(_in_its_place())


@listen.wrong("still running.*Expected: .*OSError at once. I waited for 1 s")
def tries_for_a_while(address):
    end = time.monotonic() + 2
    while True:
        try:
            return socket.create_server(address)
        except OSError:
            if time.monotonic() > end:
                raise
            time.sleep(0.05)


trusting = Table(ex.trusting)


@trusting.stub
def blank_trusting(cafile): ...


@trusting.right
def by_protocol(cafile):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.load_verify_locations(cafile)
    return context


@trusting.right
def as_well_as_the_usual(cafile):
    context = ssl.create_default_context()
    context.load_verify_locations(cafile=cafile)
    context.minimum_version = ssl.TLSVersion.TLSv1_3
    return context


@trusting.wrong("another authority signed. Your client accepted it")
def verifies_nothing(cafile):
    context = ssl.create_default_context(cafile=cafile)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


@trusting.wrong("for example.org. Your client accepted it")
def no_names(cafile):
    context = ssl.create_default_context(cafile=cafile)
    context.check_hostname = False
    return context


@trusting.wrong("your authority signed. Your client refused it")
def the_usual_alone(cafile):
    return ssl.create_default_context()


@trusting.wrong("refused it.*PROTOCOL_TLS_SERVER.*Which purpose does a client's have")
def for_a_server(cafile):
    return ssl.create_default_context(ssl.Purpose.CLIENT_AUTH, cafile=cafile)


@trusting.wrong("Expected: an `ssl.SSLContext`")
def the_file_itself(cafile):
    return cafile


def _cached():
    contexts = []

    def one_for_ever(cafile):
        contexts.append(ssl.create_default_context(cafile=cafile))
        return contexts[0]

    return one_for_ever


trusting.wrong("authority of my second `cafile` signed. Your client refused it.*context for each")(
    _cached()
)


def _collected():
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)

    def trusts_more_and_more(cafile):
        context.load_verify_locations(cafile)
        return context

    return trusts_more_and_more


trusting.wrong("authority of my first `cafile` signed. Your client accepted it.*context for each")(
    _collected()
)


@trusting.wrong("I asked twice for one `cafile`, and got the same context.*each call has its own")
@functools.cache
def one_for_each_file(cafile):
    return ssl.create_default_context(cafile=cafile)


show = Table(ex.show)


@show.stub
def blank_show(name): ...


@show.right
def in_two_steps(name):
    text = html.escape(plain(name, 100), quote=True)
    return f"<li title='{text}'>{text}</li>"


@show.right
def by_hand(name):
    text = "".join(c for c in name[:200] if c == " " or unicodedata.category(c)[0] not in "CZ")
    text = text.replace("&", "&amp;").replace("<", "&lt;").replace('"', "&#34;")
    return f'<li title="{text}">{text}</li>\n'.strip()


@show.wrong('A browser finds in your page: `<li title="…">`, `<b>`')
def as_it_is(name):
    return f'<li title="{name}">{name}</li>'


@show.wrong('A browser finds in your page: `<li title="…" onmouseover="…">`')
def forgets_quotes(name):
    text = html.escape(plain(name), quote=False)
    return f'<li title="{text}">{text}</li>'


@show.wrong("My name holds a right-to-left override")
def html_alone(name):
    text = html.escape(name[:200])
    return f'<li title="{text}">{text}</li>'


@show.wrong("A browser finds in your page")
def plain_alone(name):
    return f'<li title="{plain(name)}">{plain(name)}</li>'


@show.wrong("A reader sees `O&#x27;Brien")
def twice(name):
    text = html.escape(html.escape(plain(name)))
    return f'<li title="{text}">{text}</li>'


@show.wrong("A reader sees `ZoëŁukasz`")
def letters_alone(name):
    text = re.sub(r"\W", "", name)[:200]
    return f'<li title="{text}">{text}</li>'


@show.wrong("inside `&quot;`")
def cuts_what_is_escaped(name):
    text = plain(html.escape(name))
    return f'<li title="{text}">{text}</li>'


@show.wrong("A reader sees `Ann O'Brien & Söhne, .*How long may a name be")
def cuts_what_is_escaped_at_sixty(name):
    text = html.escape(plain(name))[:60]  # where `&lt;`, `&amp;` and `&quot;` end, in a row of them
    return f'<li title="{text}">{text}</li>'


@show.wrong('My name is `Ann` and then `"`, 100,000 times.*inside `&quot;`')
def cuts_what_is_escaped_at_a_multiple_of_six(name):
    text = html.escape(plain(name))[:240]
    return f'<li title="{text}">{text}</li>'


@show.wrong("Your page shows 100,000 of it")
def has_no_end(name):
    text = html.escape(plain(name, 10**9))
    return f'<li title="{text}">{text}</li>'


@show.right
def with_a_new_line_behind_it(name):
    text = html.escape(plain(name))
    return f'<li title="{text}">{text}</li>\n'


@show.right
def nobody_is_anonymous(name):
    text = html.escape(plain(name) or "anonymous")
    return f'<li title="{text}">{text}</li>'


@show.wrong("A reader sees `Ann from the third floor, seco….*How long may a name be")
def cut_too_early(name):
    text = html.escape(plain(name, 30))
    return f'<li title="{text}">{text}</li>'


@show.wrong("My name holds a control character of eight bits")
def without_a_list_of_bad_characters(name):
    text = re.sub(r"[\x00-\x1f\x7f\u200b-\u200f\u202a-\u202e]", "", name[:200])
    return f'<li title="{html.escape(text)}">{html.escape(text)}</li>'


@show.wrong('finds in your page: `<li title="…">`; the.*one `<li title="…">`, one `</li>`')
def never_ended(name):
    text = html.escape(plain(name))
    return f'<li title="{text}">{text}'


@show.wrong(r"raised KeyError.*Expected: an element for the name `{Ann}`")
def name_as_a_template(name):
    text = html.escape(plain(name))
    return ('<li title="' + text + '">{}</li>').format(text)


@show.wrong("Expected: an element for the name `C:")
def name_as_a_replacement(name):
    return re.sub("NAME", html.escape(plain(name)), '<li title="NAME">NAME</li>')


@show.wrong("A reader sees `· ·, Ann²`")
def only_latin_letters(name):
    text = html.escape(re.sub(r"[^\x20-\u024f]+", "·", plain(name)))
    return f'<li title="{text}">{text}</li>'


@show.wrong("Expected: an element for the name ``")
def needs_a_first_letter(name):
    text = html.escape(plain(name[0] + name[1:]))
    return f'<li title="{text}">{text}</li>'


@show.wrong(r"The title is `invoice·gpj.exe`, the text `invoice\\u202egpj.exe`.*both places")
def cleaned_in_one_place(name):
    return f'<li title="{html.escape(plain(name))}">{html.escape(name[:200])}</li>'


@show.wrong("title has 201 characters, the text 100,000")
def cut_in_one_place(name):
    return f'<li title="{html.escape(plain(name))}">{html.escape(plain(name, 10**9))}</li>'


@stop.wrong("`stop` took 1.[3-5] s.*ended within 1 s")
def after_a_rest(server):
    time.sleep(1.3)
    ex.stop.model(server)


@listen.right
def leaves_a_failed_one_to_python(address):
    listener = socket.socket()
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind(address)  # with the exception goes the last name of the socket
    listener.listen()
    return listener
