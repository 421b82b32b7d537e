"""Statistics of pooled samples, and how exact they are after durations were rounded."""

from __future__ import annotations

import math
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tyrell.local.balancers.metrics.samples import rounded
from tyrell.local.balancers.metrics.statistics import statistic

durations = st.lists(st.floats(min_value=0.0001, max_value=4000), min_size=1, max_size=200)


@given(durations, st.sampled_from([0.0, 50.0, 90.0, 95.0, 99.0, 99.9, 100.0]))
def test_a_percentile_is_within_two_percent_of_the_exact_one(seconds: list[float], percent: float) -> None:
    exact = sorted(seconds)[max(0, math.ceil(len(seconds) * percent / 100) - 1)]
    read = statistic(f"p{percent:g}")(Counter(map(rounded, seconds)))
    assert read == pytest.approx(exact, rel=0.0201)


@given(durations)
def test_the_other_statistics_are_within_two_percent_too(seconds: list[float]) -> None:
    counts = Counter(map(rounded, seconds))
    assert statistic("SampleCount")(counts) == len(seconds)
    assert statistic("Sum")(counts) == pytest.approx(sum(seconds), rel=0.0201)
    assert statistic("Average")(counts) == pytest.approx(sum(seconds) / len(seconds), rel=0.0201)
    assert statistic("Minimum")(counts) == pytest.approx(min(seconds), rel=0.0201)
    assert statistic("Maximum")(counts) == pytest.approx(max(seconds), rel=0.0201)


def test_percentiles_are_ranks_of_all_samples_and_not_of_values() -> None:
    counts = {0.01: 989, 0.5: 10, 2.0: 1}
    assert [statistic(name)(counts) for name in ("p0", "p50", "p98.9", "p99", "p99.9", "p99.91", "p100")] == [
        *(0.01, 0.01, 0.01),
        *(0.5, 0.5),
        *(2.0, 2.0),
    ]


@pytest.mark.parametrize("name", ["p100.1", "p", "p-1", "tm90", "average", ""])
def test_an_unknown_statistic_is_refused_with_the_known_ones(name: str) -> None:
    with pytest.raises(ValueError, match=r"is not supported .* SampleCount, Sum, .* or p0 to p100"):
        statistic(name)


def test_a_second_of_many_requests_keeps_few_values() -> None:
    assert len({rounded(0.001 + number * 1e-6) for number in range(9_000)}) < 70
