"""Reasons and records: a vocabulary, and tuples that nobody can change."""

import typing

import pytest

from sockkit import events
from sockkit.events import Event, Reason, Received


def test_a_reason_prints_as_words() -> None:
    assert f"{Reason.TOO_SLOW}" == str(Reason.TOO_SLOW) == "too slow"


def test_every_record_begins_with_its_time_and_belongs_to_event() -> None:
    records = typing.get_args(Event)
    assert len(records) == 7
    for record in records:
        assert record._fields[0] == "time"
        assert record.__name__ in vars(events)


def test_a_record_cannot_be_changed() -> None:
    record = Received(1.0, 2, "text")
    with pytest.raises(AttributeError):
        record.number = 3  # type: ignore[misc]
