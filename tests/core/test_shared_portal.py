"""One loop thread for all clients of the process."""

import pytest

from sockkit.portal import Portal
from sockkit.sync_client import _SharedPortal


def test_all_users_have_the_same_thread_and_it_ends_with_the_last():
    shared = _SharedPortal()
    first, second = shared.enter(), shared.enter()
    assert first is second
    shared.leave(first)
    assert first.running
    shared.leave(second)
    assert not first.running


def test_one_whose_thread_was_ended_from_outside_gets_a_successor():
    shared = _SharedPortal()
    ended = shared.enter()
    ended.stop()
    successor = shared.enter()
    assert successor.running
    shared.leave(ended)
    assert successor.running
    shared.leave(successor)
    assert not successor.running


def test_a_signals_handler_may_have_the_last_user_leave_while_another_one_enters(
    monkeypatch: pytest.MonkeyPatch,
):
    shared = _SharedPortal()
    first = shared.enter()

    def the_handler_comes(portal: Portal) -> bool:
        monkeypatch.undo()
        shared.leave(portal)
        return portal.running

    monkeypatch.setattr(Portal, "running", property(the_handler_comes))
    assert shared.enter() is first
    assert first.running
    shared.leave(first)
    assert not first.running
