"""Listeners that an answer of lesson 09 makes: at a port that had one, and beside another one."""

import contextlib
import socket
from typing import Any

from sockkit.exercises.leftovers import Before
from sockkit.exercises.trial import Trial
from sockkit.exercises.verdict import NotYet
from sockkit.exercises.where import named
from sockkit.text import plain

_AT_ONCE = "it returns at once, and raises at once."
_WHICH = "One option lets you pass connections that are over. Which one shares a port?"
_TCP = {socket.AF_INET, socket.AF_INET6}
_SHARING = getattr(socket, "SO_REUSEPORT", None)  # Windows has none


def host() -> str:
    """An address of this machine that few know by heart, where there is one: on Linux."""
    with contextlib.suppress(OSError), socket.socket() as probe:
        probe.bind(("127.0.0.2", 0))
        return "127.0.0.2"
    return "127.0.0.1"


def run(trial: Trial, answer: Any, address: tuple[str, int], name: str) -> socket.socket:
    """Have the answer listen there, and serve one client, for a run of that name.

    Raises:
        NotYet: it does not listen there, or not alone.
    """
    listener = _made(trial, answer, address)
    _serve_one(trial, listener, name)
    where = listener.getsockname()
    if where[0] != address[0]:
        all_of_them = {"0.0.0.0", "::"}  # named, and not bound
        raise NotYet(
            f"I asked for `{address[0]}`, and you listen on `{where[0]}`.",
            "the host that I asked for.",
            "Who can connect to this one?" if where[0] in all_of_them else "",
        )
    if address[1] and where[1] != address[1]:
        raise NotYet(
            "I asked for the port of before, and you listen on another one.",
            "the same port: clients know no other.",
        )
    if _SHARING and (another := _sharing(where[:2])):
        another.close()
        raise NotYet(
            "Beside your listener I made a second one at the same port.",
            "an error for me: two would share the clients, and neither would know.",
            _WHICH,
        )
    return listener


def _made(trial: Trial, answer: Any, address: tuple[str, int]) -> socket.socket:
    before = Before()
    running = trial.start(answer, address)
    error = running.error(expected=_AT_ONCE) if address[1] else None
    if error is not None:
        for sock in before.new_sockets():
            sock.close()
        raise NotYet(
            f"A server had this port, closed its connection and its listener, and I asked you for "
            f"the port again. You raised {named(error)}.",
            "a listener: nobody listens there any more.",
            "What does the kernel still have at this port, and what must each of your listeners "
            "say of it, and when?",
        )
    listener = running.result(expected=_AT_ONCE)
    if not isinstance(listener, socket.socket) or listener.family not in _TCP:
        raise NotYet(f"You returned `{plain(repr(listener), 60)}`.", "a socket that listens.")
    if listener.fileno() < 0:
        raise NotYet(
            "You returned a socket that is closed.",
            "a socket that listens.",
            "Who closed it? `with` does so at its end.",
        )
    return trial.own(listener)


def _serve_one(trial: Trial, listener: socket.socket, name: str) -> None:
    """Accept one client and be the first to close: then this side keeps the TIME_WAIT."""
    partner = trial.connect(listener.getsockname()[:2], name)
    listener.settimeout(trial.left(1.0))
    try:
        connection, _ = listener.accept()
    except TimeoutError:
        raise NotYet(
            "I connected, and `accept` of your listener gave me nobody for a second.",
            "a listener, and no more: it is I who accept.",
            "Does a thread of yours accept the clients?",
        ) from None
    connection.close()
    partner.receive_all()
    if partner.ended == "reset":  # SO_LINGER of 0 s leaves no TIME_WAIT behind
        raise NotYet(
            "I accepted a client, said nothing, and closed; my client read a reset.",
            "the end: each connection inherits what you set on the listener.",
            "What becomes of data that is still on its way when a connection is reset?",
        )
    partner.close()


def expect_none_beside(trial: Trial, answer: Any, there: socket.socket) -> None:
    """Beside this listener, the answer raises OSError.

    Raises:
        NotYet: it does not.
    """
    address = there.getsockname()
    before = Before()
    running = trial.start(answer, address)
    error = running.error(
        1.0,
        "while somebody listens there, it raises OSError at once.",
        "I waited for 1 s. Who tries again and again keeps the caller waiting.",
    )
    if error is None:
        saw, then = _instead(running.result(), there, address[1])
    for sock in before.new_sockets():
        sock.close()
    if error is None:
        raise NotYet(saw, "OSError: the caller must know that the port is taken.", then)
    if not isinstance(error, OSError):
        raise NotYet(f"Somebody listened there, and you raised {named(error)}.", "OSError.")


def _instead(result: Any, there: socket.socket, port: int) -> tuple[str, str]:
    """What the answer did instead of raising OSError, and what to ask then."""
    if there.fileno() < 0:
        return "Your own listener was there, and you closed it.", "What will its clients say?"
    saw = "Somebody listened there, and you"
    if not isinstance(result, socket.socket) or result.fileno() < 0:
        shown = f"{saw} returned `{plain(repr(result), 60)}`."
        return shown, "An error that you catch is not raised to the caller."
    if result is there:
        return f"{saw} returned the very listener that I had from you already.", ""
    if result.getsockname()[1] != port:
        return f"{saw} returned a listener at another port.", "Which port do the clients know?"
    return f"{saw} made a second one at the same port.", _WHICH


def expect_none_beside_another(trial: Trial, answer: Any, host: str) -> None:
    """The same beside a listener of somebody who would share the port, where that can be done."""
    if _SHARING and (there := _sharing((host, 0))):
        with there:
            expect_none_beside(trial, answer, there)


def _sharing(address: tuple[str, int]) -> socket.socket | None:
    """A listener there of somebody who would share the port, or None."""
    listener = socket.socket()
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.setsockopt(socket.SOL_SOCKET, _SHARING or 0, 1)
    try:
        listener.bind(address)
        listener.listen()
    except OSError:
        listener.close()
        return None
    return listener
