"""Where the periods of a load balancer's figures begin."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.metrics import RESOLUTION, next_period, period

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("seconds", "begins"),
    [(0, 0), (0.000001, 60), (30, 60), (59.999999, 60), (60, 60), (60.5, 120)],
)
def test_a_period_begins_with_the_minute(seconds: float, begins: int) -> None:
    assert next_period(NOON + timedelta(seconds=seconds)) == NOON + timedelta(seconds=begins)


@pytest.mark.parametrize(("length", "begins"), [("1", 31), ("5", 35), ("10", 40)])
def test_an_environment_with_finer_figures_says_so(monkeypatch: pytest.MonkeyPatch, length: str, begins: int) -> None:
    monkeypatch.setenv(RESOLUTION, length)
    assert next_period(NOON + timedelta(seconds=30.5)) == NOON + timedelta(seconds=begins)


@given(st.datetimes(timezones=st.just(UTC), min_value=datetime(2000, 1, 1), max_value=datetime(2100, 1, 1)))
def test_it_is_the_first_one_from_then_on(moment: datetime) -> None:
    begins = next_period(moment)
    assert moment <= begins < moment + period()
    assert begins.timestamp() % period().total_seconds() == 0
