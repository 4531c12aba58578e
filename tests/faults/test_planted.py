"""The state machine can fail: a server with one fault in it is found out, whichever fault it is."""

import functools
import itertools
from collections.abc import Callable, Iterable
from typing import Any

import pytest
from hypothesis import Phase, settings
from hypothesis.stateful import run_state_machine_as_test

from sockkit import channel, serving
from sockkit.events import Reason
from sockkit.listening import ListeningChannel
from sockkit.registry import Registry
from sockkit.server import AsyncServer
from sockkit.service import Service
from sockkit.serving import ServerChannel

from ..sizes import FULL
from .steps import ServerMachine

EXAMPLES = 150  # within which each fault must be found

Replace = Callable[[Any, str, Any], None]


class Impatient(ServerMachine):
    """Waits for a missing callback no longer than it takes to see that it is missing."""

    patience = 1.0
    examples = itertools.count()

    def __init__(self) -> None:
        super().__init__()
        next(Impatient.examples)


def ending_with(end: Callable[..., Any], replace: Replace) -> None:
    """Have `end(on_disconnect, connection, reason)` called instead of on_disconnect."""
    make = Service.__init__

    def init(self: Service, first: Any, second: Any, last: Any, *rest: Any) -> None:
        make(self, first, second, functools.partial(end, last), *rest)

    replace(Service, "__init__", init)


def the_end_is_told_twice(replace: Replace) -> None:
    def twice(tell: Callable[..., Any], *news: Any) -> None:
        tell(*news)
        tell(*news)

    ending_with(twice, replace)


def the_end_is_not_told_of_garbage(replace: Replace) -> None:
    def seldom(tell: Callable[..., Any], connection: Any, reason: Reason) -> None:
        if reason is not Reason.PROTOCOL_ERROR:
            tell(connection, reason)

    ending_with(seldom, replace)


def the_third_message_of_a_receive_is_lost(replace: Replace) -> None:
    received = ServerChannel.messages_received

    def without(self: ServerChannel, messages: list[Any]) -> None:
        received(self, messages[:2] + messages[3:])

    replace(ServerChannel, "messages_received", without)


def a_message_after_the_end_is_heard(replace: Replace) -> None:
    replace(serving, "_NO_MORE_MESSAGES", set())


def who_is_kicked_stays_a_client(replace: Replace) -> None:
    remove = Registry.remove

    def mostly(self: Registry, number: int) -> None:
        if self._clients[number].reason is not Reason.KICKED:
            remove(self, number)

    replace(Registry, "remove", mostly)


def numbers_begin_again_with_each_start(replace: Replace) -> None:
    begin = Service.begin

    def afresh(self: Service, group: Any) -> None:
        begin(self, group)
        self.registry._numbers = itertools.count(1)

    replace(Service, "begin", afresh)


def who_is_refused_uses_a_number(replace: Replace) -> None:
    refuse = ServerChannel._refuse

    def with_a_number(self: ServerChannel, why: str, answer: bytes) -> None:
        next(self.service.registry._numbers)
        refuse(self, why, answer)

    replace(ServerChannel, "_refuse", with_a_number)


def one_too_many_is_let_in(replace: Replace) -> None:
    replace(Registry, "__len__", lambda self: max(0, len(self._clients) - 1))


def any_token_will_do(replace: Replace) -> None:
    replace(serving, "is_token", lambda line, token: True)


def a_reset_counts_as_a_polite_end(replace: Replace) -> None:
    replace(channel, "reason_of", lambda error: Reason.CLOSED)


def a_slow_reader_counts_as_kicked(replace: Replace) -> None:
    def overflow(self: ServerChannel) -> None:
        self.abort(Reason.KICKED)
        raise channel.ConnectionLost(Reason.KICKED)

    replace(ServerChannel, "overflow", overflow)


def a_slow_reader_is_kept(replace: Replace) -> None:
    replace(ServerChannel, "overflow", lambda self: None)


def a_word_does_not_count_against_silence(replace: Replace) -> None:
    watch = ListeningChannel.watch
    replace(
        ListeningChannel, "watch", lambda self, heard=False, whole=False: watch(self, False, whole)
    )


def each_piece_gives_a_message_more_time(replace: Replace) -> None:
    watch = ListeningChannel.watch
    replace(
        ListeningChannel, "watch", lambda self, heard=False, whole=False: watch(self, heard, heard)
    )


def a_broadcast_leaves_nobody_out(replace: Replace) -> None:
    broadcast = AsyncServer.broadcast
    replace(AsyncServer, "broadcast", lambda self, message, *, exclude=(): broadcast(self, message))


def an_answer_is_sent_twice(replace: Replace) -> None:
    write = ServerChannel.write

    def twice(self: ServerChannel, message: Any, data: bytes) -> None:
        write(self, message, data * 2 if message == "for you" else data)

    replace(ServerChannel, "write", twice)


FAULTS: Iterable[Callable[[Replace], None]] = (
    the_end_is_told_twice,
    the_end_is_not_told_of_garbage,
    the_third_message_of_a_receive_is_lost,
    a_message_after_the_end_is_heard,
    who_is_kicked_stays_a_client,
    numbers_begin_again_with_each_start,
    who_is_refused_uses_a_number,
    one_too_many_is_let_in,
    any_token_will_do,
    a_reset_counts_as_a_polite_end,
    a_slow_reader_counts_as_kicked,
    a_slow_reader_is_kept,
    a_word_does_not_count_against_silence,
    each_piece_gives_a_message_more_time,
    a_broadcast_leaves_nobody_out,
    an_answer_is_sent_twice,
)


# Each is found in seconds, all of them in half a minute: that is for SOCKKIT_FIGURES=1.
TRIED = FAULTS if FULL else FAULTS[::3]


@pytest.mark.usefixtures("at_full_speed", "log")
@pytest.mark.parametrize("plant", TRIED, ids=lambda plant: plant.__name__)
def test_it_is_found(plant: Callable[[Replace], None], monkeypatch: pytest.MonkeyPatch) -> None:
    plant(monkeypatch.setattr)
    Impatient.examples = itertools.count()
    with pytest.raises((AssertionError, TimeoutError)):
        run_state_machine_as_test(
            Impatient,
            settings=settings(
                max_examples=EXAMPLES,
                stateful_step_count=40,
                deadline=None,
                database=None,
                derandomize=True,
                phases=[Phase.generate],
                report_multiple_bugs=False,
            ),
        )
    print(f"found after {next(Impatient.examples)} examples")
