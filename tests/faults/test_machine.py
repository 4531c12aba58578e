"""A server against a model of it: whatever clients do, each callback comes once and in order."""

import pytest
from hypothesis import settings
from hypothesis.stateful import run_state_machine_as_test

from ..core.peers import dial
from ..waiting import until
from .catalogue import size
from .steps import ServerMachine


@pytest.mark.timeout(240)
def test_every_callback_comes_once_and_in_order(log: object, at_full_speed: None) -> None:
    run_state_machine_as_test(
        ServerMachine,
        settings=settings(max_examples=size(400, 30), stateful_step_count=40, deadline=None),
    )


def test_a_stranger_is_called_a_stranger(log: object) -> None:
    machine = ServerMachine()
    try:
        machine.begin(token=False, coroutine=False, observed=False)
        with dial(machine.server.address):
            until(lambda: machine.server.clients)
            with pytest.raises(AssertionError, match="a stranger: <Connection 1 "):
                machine.the_clients_are_those_of_the_model()
            machine.server.disconnect(1)
            until(lambda: not machine.server.clients)
        with pytest.raises(AssertionError, match="a stranger was given a number"):
            machine.teardown()
    finally:
        machine.server.stop()
