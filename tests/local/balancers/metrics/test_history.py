"""The history by itself: periods, pooling, and what is forgotten."""

from __future__ import annotations

from tyrell.local.balancers.metrics.history import History, Series

BLUE = Series("RequestCount", "app/one/1", "targetgroup/blue/1")
GREEN = Series("RequestCount", "app/one/1", "targetgroup/green/1")
BALANCER = Series("RequestCount", "app/one/1", None)
OTHER = Series("RequestCount", "app/other/2", "targetgroup/blue/1")


def test_a_window_has_its_first_second_and_not_its_end() -> None:
    history = History()
    for second in (99, 100, 109, 110):
        history.add(BLUE, second, {1: second})
    assert history.pooled(BLUE, 100, 110, 60) == {100: {1: 209}}


def test_periods_are_counted_from_the_start_and_those_without_samples_are_not_there() -> None:
    history = History()
    for second in (103, 105, 106, 118):
        history.add(BLUE, second, {1: 1})
    assert history.pooled(BLUE, 103, 119, 3) == {103: {1: 2}, 106: {1: 1}, 118: {1: 1}}


def test_the_parts_of_a_second_add_up_whenever_they_come() -> None:
    history = History()
    history.add(BLUE, 100, {0.1: 1, 0.2: 1})
    history.add(BLUE, 100, {0.2: 2})
    history.add(BLUE, 101, {0.1: 5})
    history.add(BLUE, 100, {0.3: 1})
    assert history.pooled(BLUE, 100, 102, 1) == {100: {0.1: 1, 0.2: 3, 0.3: 1}, 101: {0.1: 5}}


def test_a_balancer_has_the_samples_of_all_its_target_groups_and_of_no_other_balancer() -> None:
    history = History()
    for series in (BLUE, GREEN, OTHER):
        history.add(series, 100, {1: 2})
    assert history.pooled(BALANCER, 100, 101, 1) == {100: {1: 4}}
    assert history.pooled(GREEN, 100, 101, 1) == {100: {1: 2}}


def test_what_is_too_old_is_forgotten_and_an_empty_series_with_it() -> None:
    history = History()
    history.add(BLUE, 100, {1: 1})
    history.add(BLUE, 101, {1: 1})
    history.add(GREEN, 100, {1: 1})
    history.forget_before(101)
    assert history.series() == [BLUE]
    assert history.pooled(BLUE, 0, 200, 1) == {101: {1: 1}}
