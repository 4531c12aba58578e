"""Answers to the exercise `admit` of lesson 09: who comes to the door, and how each fares."""

import contextlib
import hmac
import socket
import sys

from sockkit.exercises import nb09 as ex

from ..table import Table

ON_LINUX = sys.platform == "linux"

admit = Table(ex.admit)


@admit.stub
def blank_admit(connection, token): ...


@admit.right
def as_a_file(connection, token):
    with connection.makefile("rb") as stream:
        try:
            line = stream.readline(1025)
        except OSError:
            line = b""
    if line == f"{token}\n".encode():
        connection.sendall(b"welcome\n")
        return True
    return _refuse(connection)


@admit.right
def byte_by_byte(connection, token):
    line = bytearray()
    try:
        while len(line) <= 1024 and (byte := connection.recv(1)) != b"\n":
            if not byte:
                raise EOFError
            line += byte
    except (OSError, EOFError):
        line.clear()
    if hmac.compare_digest(bytes(line), token.encode()):
        connection.sendall(b"welcome\n")
        return True
    return _refuse(connection)


def _hears_no_end(connection):
    data = b""
    with contextlib.suppress(OSError):
        while not data.endswith(b"\n") and len(data) <= 1024:
            data += connection.recv(1)
    return data


def _line(connection):
    line = b""
    with contextlib.suppress(OSError):
        while not line.endswith(b"\n") and len(line) <= 1024 and (data := connection.recv(1024)):
            line += data
    return line


def _refuse(connection, word=b"refused\n"):
    with connection, contextlib.suppress(OSError):
        connection.sendall(word)
    return False


def _answer(connection, right):
    if not right:
        return _refuse(connection)
    connection.sendall(b"welcome\n")
    return True


@admit.wrong("in 3 pieces")
def one_receive(connection, token):
    return _answer(connection, connection.recv(1024) == token.encode() + b"\n")


@admit.wrong(r"still running.*I sent half a line and closed, and am refused at once. What does")
def loops_on_the_end(connection, token):
    return _answer(
        connection, hmac.compare_digest(_hears_no_end(connection), token.encode() + b"\n")
    )


@admit.wrong("the token and one more letter, no newline, then nothing. You let me in")
def takes_any_letter_for_the_newline(connection, token):
    return _answer(connection, hmac.compare_digest(_line(connection)[:-1], token.encode()))


@admit.wrong("You let me in")
def both_at_once(connection, token):
    return _answer(connection, hmac.compare_digest(_hears_no_end(connection)[:-1], token.encode()))


@admit.wrong("I sent the token, no newline, then nothing. You let me in")
def needs_no_newline(connection, token):
    return _answer(
        connection, hmac.compare_digest(_line(connection).removesuffix(b"\n"), token.encode())
    )


@admit.wrong("I sent the token without a newline and closed. You let me in")
def takes_the_end_for_a_newline(connection, token):
    line = b""
    try:
        while len(line) <= 1024 and (byte := connection.recv(1)) not in (b"", b"\n"):
            line += byte
    except TimeoutError:
        return _refuse(connection)
    return _answer(connection, hmac.compare_digest(line, token.encode()))


if ON_LINUX:  # elsewhere the end may come before the reset

    @admit.wrong("No answer of yours reached me: you closed while bytes of mine were unread")
    def looks_at_two_bytes(connection, token):
        if connection.recv(2) != token.encode() + b"\n":
            connection.close()
            return False
        connection.sendall(b"welcome\n")
        return True


@admit.wrong("the token and one letter more")
def how_it_begins(connection, token):
    return _answer(connection, _line(connection).startswith(token.encode()))


@admit.wrong("UnicodeDecodeError")
def as_text(connection, token):
    return _answer(connection, _line(connection).decode() == token + "\n")


@admit.wrong("TypeError|not ASCII")
def compares_text(connection, token):
    line = _line(connection).decode(errors="replace")
    return _answer(connection, hmac.compare_digest(line, token + "\n"))


@admit.wrong("TimeoutError")
def knows_no_silence(connection, token):
    line = b""
    while not line.endswith(b"\n") and len(line) <= 1024 and (data := connection.recv(1024)):
        line += data
    return _answer(connection, line == token.encode() + b"\n")


@admit.wrong("still running when I stopped waiting")
def without_a_bound(connection, token):
    line = b""
    with contextlib.suppress(OSError):
        while not line.endswith(b"\n") and (data := connection.recv(1024)):
            line += data
    return _answer(connection, line == token.encode() + b"\n")


@admit.wrong("Your answer holds the token itself")
def helpful(connection, token):
    if _line(connection) == token.encode() + b"\n":
        connection.sendall(b"welcome\n")
        return True
    return _refuse(connection, f"refused: it is {token}\n".encode())


@admit.wrong("kept the connection open")
def leaves_the_door_open(connection, token):
    right = _line(connection) == token.encode() + b"\n"
    connection.sendall(b"welcome\n" if right else b"refused\n")
    return right


@admit.right
def hears_them_out(connection, token):
    if _line(connection) == token.encode() + b"\n":
        return _answer(connection, True)
    with connection, contextlib.suppress(OSError):
        connection.sendall(b"refused\n")
        connection.shutdown(socket.SHUT_WR)
        for _ in range(50):
            if not connection.recv(4096):
                break
    return False


@admit.wrong("I sent the token with blanks around it. You let me in")
def without_blanks(connection, token):
    line = _line(connection)
    return _answer(connection, line.endswith(b"\n") and line.strip() == token.encode())


@admit.wrong("I sent the token and a carriage return. You let me in")
def without_its_end_of_line(connection, token):
    line = _line(connection)
    return _answer(connection, line.endswith(b"\n") and line.rstrip(b"\r\n") == token.encode())


@admit.wrong("I sent the token in capitals. You let me in")
def in_small_letters(connection, token):
    return _answer(connection, _line(connection).lower() == token.encode() + b"\n")


@admit.wrong("I sent the token and a byte that is no text. You let me in")
def what_is_text_of_it(connection, token):
    return _answer(connection, _line(connection).decode(errors="ignore") == token + "\n")


@admit.wrong(
    r"I sent 1,0\d\d bytes without a newline. You answered nothing, kept .*Expected: `refused.n`"
)
def says_nothing_to_the_endless(connection, token):
    line = b""
    with contextlib.suppress(OSError):
        while not line.endswith(b"\n") and (data := connection.recv(1024)):
            line += data
            if len(line) > 1024:
                return False
    return _answer(connection, line == token.encode() + b"\n")


@admit.wrong("I sent the token, this time of 900 letters. You answered `refused")
def at_most_twenty(connection, token):
    line = b""
    with contextlib.suppress(OSError):
        while not line.endswith(b"\n") and len(line) <= 20 and (data := connection.recv(20)):
            line += data
    return _answer(connection, line == token.encode() + b"\n")


@admit.wrong(r"still running when .*Expected: who sends more than 1,024 .* I have sent 1,0\d\d\.")
def at_most_fifteen_thousand(connection, token):
    line = b""
    with contextlib.suppress(OSError):
        while not line.endswith(b"\n") and len(line) <= 15000 and (data := connection.recv(1024)):
            line += data
    return _answer(connection, line == token.encode() + b"\n")


@admit.wrong("this time `swordfish`.*answered `refused.*Each call has a token of its own")
def knows_it_by_heart(connection, token):
    return _answer(connection, _line(connection) == b"open sesame\n")


@admit.wrong("IndexError")
def looks_at_the_last_byte(connection, token):
    line = _line(connection)
    return _answer(connection, line[-1] == 10 and line[:-1] == token.encode())


@admit.wrong("`bare_words` raised (ConnectionResetError|BrokenPipeError)")
def bare_words(connection, token):
    right = _line(connection) == token.encode() + b"\n"
    connection.sendall(b"welcome\n" if right else b"refused\n")
    if not right:
        connection.close()
    return right


@admit.wrong(r"still running.*Expected: I sent another line, and am refused at once")
def any_number_of_guesses(connection, token):
    heard = b""
    with contextlib.suppress(OSError):
        while len(heard) <= 1024 and (data := connection.recv(1024)):
            heard += data
            if token.encode() in heard.split(b"\n")[:-1]:
                return _answer(connection, True)
    return _refuse(connection)


@admit.wrong("I sent two lines, and the second is the token. You let me in")
def any_line_of_them(connection, token):
    return _answer(connection, token.encode() in _line(connection).split(b"\n")[:-1])


@admit.wrong("I read the end, but your socket is still open")
def half_closed(connection, token):
    if _line(connection) == token.encode() + b"\n":
        return _answer(connection, True)
    with contextlib.suppress(OSError):
        connection.sendall(b"refused\n")
        connection.shutdown(socket.SHUT_WR)
    return False


@admit.wrong(r"answered `refused`, closed the connection.*Expected: `refused\\n`, with its newline")
def a_word_is_no_line(connection, token):
    if _line(connection) == token.encode() + b"\n":
        return _answer(connection, True)
    return _refuse(connection, b"refused")


@admit.wrong("answered `welcome.n`, closed the connection and returned `True`.*stays open")
def closes_on_everybody(connection, token):
    with connection:
        return _answer(connection, _line(connection) == token.encode() + b"\n")


@admit.wrong(
    "still running.*Expected: I sent the token and one more letter, no newline, then nothing"
)
def waits_for_ever(connection, token):
    connection.settimeout(None)
    return _answer(connection, _line(connection) == token.encode() + b"\n")


@admit.wrong("answered `welcome.n`, kept .* returned `None`.*What does your caller learn")
def keeps_it_to_itself(connection, token):
    _answer(connection, _line(connection) == token.encode() + b"\n")
