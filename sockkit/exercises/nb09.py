"""Lesson 09: stop a server, start it again, and trust nobody who has not earned it."""

import contextlib
import ssl
import time
import unicodedata
from typing import Any

from sockkit.exercises import door, page, restarts, strangers
from sockkit.exercises.lesson import Lesson
from sockkit.exercises.partner import Partner
from sockkit.exercises.solutions import nb09 as solutions
from sockkit.exercises.stopper import Stopper, alive, expect_nothing_open
from sockkit.exercises.trial import Trial
from sockkit.exercises.verdict import NotYet
from sockkit.lab import until_blocked
from sockkit.lab.threaded import ThreadedEcho
from sockkit.text import plain

lesson = Lesson("09")
summary = lesson.summary

_IDLE = 50  # clients that say nothing while the server is stopped
_IN_TIME = 1.0  # seconds
_SOON = 1.5  # seconds that one try may take; the better of two must be in time


@lesson.exercise(
    solution=solutions.stop,
    hints=(
        "One thread waits in `accept`, each other one in `recv`. What wakes each of them?",
        "`shutdown` on a client that has gone raises OSError. That client needs nothing more.",
        "Wake everything first, then close, then `join` each thread.",
    ),
)
def stop(trial: Trial, answer: Any) -> str:
    """End the server within 1 s, with 50 idle clients: no thread, no socket, no open port."""
    took = _stopped(trial, answer)
    if took > _IN_TIME:  # the machine may have been busy
        took = min(took, _stopped(trial, answer))
    if took > _IN_TIME:
        raise NotYet(
            f"With {_IDLE} idle clients, `stop` took {took:.1f} s, and more when I tried twice.",
            f"it has ended within {_IN_TIME:g} s.",
            "What do you wait for, beside the threads that you have woken?",
        )
    return f"{_IDLE} idle clients, and everything ended in time."


def _stopped(trial: Trial, answer: Any) -> float:
    """Have the answer stop a server that many clients are connected to; the seconds it took."""
    server, partners = ThreadedEcho(), list[Partner]()
    trial.own(Stopper(server, partners))
    address = server.listener.getsockname()
    half = _IDLE // 2  # one leaves in their midst, so that nobody can pass it by
    partners += [trial.connect(address, f"client {number}") for number in range(half)]
    gone = trial.connect(address, "the client that leaves")
    partners += [trial.connect(address, f"client {number}") for number in range(half, _IDLE)]
    trial.wait(lambda: len(server.threads) == _IDLE + 2)
    gone.reset()
    trial.wait(lambda: not server.threads[half + 1].is_alive())
    trial.wire.clear()  # that is how it should be
    with contextlib.suppress(TimeoutError):  # on a busy machine it may not be back in `accept` yet
        until_blocked(server.threads[0], trial.left(0.5))
    begun = time.monotonic()
    running = trial.start(answer, server)
    running.result(
        _SOON,
        f"with {_IDLE} idle clients, it has ended within 1 s.",
        "Who still waits, and in which call?",
    )
    trial.wait(lambda: not alive(server), 0.3)
    if threads := alive(server):
        at_door = "the one in `accept`" if server.threads[0] in threads else "none in `accept`"
        raise NotYet(
            f"You returned, and {len(threads)} of {_IDLE + 2} threads still run, {at_door}.",
            "none.",
            "What ends a thread: closing its socket, or waking it?",
        )
    expect_nothing_open(server, partners)
    return (running.call.ended_at or begun) - begun


@lesson.exercise(
    solution=solutions.listen,
    hints=(
        "Nobody listens there, and still the address is in use: by a connection in TIME_WAIT.",
        "One option says that such a connection is no obstacle. It must be set before `bind`.",
        "It has to be set on the first listener as well: connections inherit it. SO_REUSEADDR.",
    ),
)
def listen(trial: Trial, answer: Any) -> str:
    """Return a listener at `address`: at once after a stop; beside another one, OSError at once."""
    host = restarts.host()
    first = restarts.run(trial, answer, (host, 0), "the first run")
    port = first.getsockname()[1]
    first.close()
    second = restarts.run(trial, answer, (host, port), "the second run")
    restarts.expect_none_beside(trial, answer, second)
    restarts.expect_none_beside_another(trial, answer, host)
    return "The same port at once after a stop, and never twice at the same time."


@lesson.exercise(
    solution=solutions.trusting,
    hints=(
        "A context that checks nothing encrypts as well, and talks to anybody.",
        "`ssl.create_default_context` checks the signature, the name and the dates.",
        "It takes the authorities to trust: `cafile=`.",
    ),
)
def trusting(trial: Trial, answer: Any) -> str:
    """Return a client's context: who is vouched for by `cafile` is accepted, a stranger is not."""
    with strangers.certificates() as rounds:
        for cafile, servers in rounds:
            context = trial.call(answer, cafile)
            if not isinstance(context, ssl.SSLContext):
                raise NotYet(f"You returned `{plain(repr(context), 60)}`.", "an `ssl.SSLContext`.")
            for shown in servers:
                strangers.expect_fair(trial, context, shown)
        if trial.call(answer, cafile) is context:
            raise NotYet(
                "I asked twice for one `cafile`, and got the same context.",
                "each call has its own: who changes one changes no other.",
            )
    return "Two servers accepted; four with bad certificates refused."


@lesson.exercise(
    solution=solutions.admit,
    hints=(
        "A line comes in any number of receives: collect until the newline. And the silent one?",
        "Compare bytes with bytes: what a stranger sends need not be text.",
        "`hmac.compare_digest(line, token.encode())` takes as long for a near miss as for a far.",
        "Somebody may never send a newline. Who has sent more than 1,024 bytes is refused.",
    ),
)
def admit(trial: Trial, answer: Any) -> str:
    """Read one line: the token gets `welcome` and True; all else `refused`, a close, and False."""
    for guest in door.GUESTS:
        door.expect_welcome(trial, answer, guest)
    for stranger in door.STRANGERS:
        door.expect_refusal(trial, answer, stranger)
    door.expect_bound(trial, answer)
    return (
        f"The door opened for {len(door.GUESTS)} guests; "
        f"{len(door.STRANGERS) + 1} strangers were refused."
    )


@lesson.exercise(
    solution=solutions.show,
    hints=(
        "`html.escape` turns the five characters that mean something to a page into text.",
        "Some characters are no HTML, and still lie: `sockkit.text.plain` shows them as a dot.",
        "`plain` first, then `escape`: the other way round, the cut could fall inside `&lt;`.",
    ),
)
def show(trial: Trial, answer: Any) -> str:
    """Return `<li title="NAME">NAME</li>` for any name, as harmless text, not longer than 250."""
    for name in page.NAMES:
        text = page.shown(trial, answer, name)
        if text != name:
            cut = 10 < len(text) <= len(name) and name.startswith(text[:-1])
            raise NotYet(
                f"I am called `{plain(name)}`. A reader sees `{plain(text)}`.",
                "the name as it was typed.",
                "How long may a name be before you cut it?"
                if cut
                else "Which characters must change? And is none of them replaced twice?",
            )
    page.shown(trial, answer, "")
    for what, name in page.TRICKS.items():
        text = page.shown(trial, answer, name)
        if any(unicodedata.category(character) in page.UNSEEN for character in text):
            raise NotYet(
                f"My name holds {what}, and so does your page.",
                "it is taken out, or shown as something harmless.",
                "Which function of `sockkit.text` is for that?",
            )
        if text[:3] != name[:3]:
            raise NotYet(f"My name holds {what}. Nothing of it is left.", "the letters stay.")
    # No cut falls between two `&quot;` in both: neither with nor without three letters before them.
    for first, letter in (("", "x"), ("", '"'), ("Ann", '"')):
        text = page.shown(trial, answer, first + letter * 100_000)
        called = f"My name is {f'`{first}` and then ' if first else ''}`{letter}`, 100,000 times."
        if not 10 <= len(text) <= 250:
            raise NotYet(
                f"{called} Your page shows {len(text):,} of it.",
                "at most 250, and not nothing.",
            )
        if not set(text[10:]) <= {letter, "…", "."}:
            raise NotYet(
                f"{called} Yours ends in `{plain(text[-5:])}`.",
                f"nothing but `{letter}`, and perhaps dots.",
                "Where does your cut fall: between two letters, or inside `&quot;`?",
            )
    return f"{len(page.NAMES) + len(page.TRICKS) + 4} names, and each was text and nothing else."
