"""The small edition of `python -m tests.backplane.figures`: everything but the speed."""

import pytest

from . import figures


@pytest.mark.slow
def test_what_is_promised_is_kept_while_a_server_and_redis_are_killed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(figures, "REDIS_IS_AWAY", 0.5)
    seen = figures.measure(60, 90, 3, kills=True, expiry=1.5, sampled=2)
    assert seen.ok, seen.to_text()
    assert seen.lost_across > 0, "Redis was away: what was said then is not said again later"
    assert seen.server_healed is not None
    assert seen.server_healed < 3
