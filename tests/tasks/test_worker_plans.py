"""How many workers a queue gets."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.role_parts import ByQueue
from tasks.worker_plans import Load, plan_workers

KIND = ByQueue(
    kind="queue",
    queue="UsageQueue",
    dead_letters="UsageDeadLetters",
    bucket="UsageBucket",
    messages_per_second=10,
    drain_time=timedelta(minutes=10),
    max_age=timedelta(hours=2),
)
ONE = 6000
"""What one worker does in the drain time."""

counts = st.integers(0, 100 * ONE)
loads = st.builds(
    Load, waiting=counts, in_flight=counts, age=st.none() | st.timedeltas(timedelta(), timedelta(days=14))
)
few = st.integers(0, 20)


@pytest.mark.parametrize(
    ("load", "working", "run", "wanted"),
    [
        (Load(waiting=1, in_flight=0), 0, True, 1),
        (Load(waiting=1, in_flight=0), 0, False, 0),
        (Load(waiting=1, in_flight=0, age=timedelta(hours=1, seconds=1)), 0, False, 1),
        (Load(waiting=ONE, in_flight=0), 0, False, 1),
        (Load(waiting=2 * ONE + 1, in_flight=0), 0, True, 3),
        (Load(waiting=2 * ONE + 1, in_flight=0), 0, False, 2),
        (Load(waiting=100 * ONE, in_flight=0), 0, True, 4),
        (Load(waiting=0, in_flight=7), 2, True, 2),
        (Load(waiting=0, in_flight=7), 0, True, 0),
        (Load(waiting=0, in_flight=0), 3, True, 0),
    ],
)
def test_workers_are_as_many_as_finish_in_the_drain_time(load: Load, working: int, run: bool, wanted: int) -> None:
    assert plan_workers(load, KIND, working, 4, run=run) == wanted


@given(loads, few, few, st.booleans())
def test_there_are_never_more_than_allowed_or_already_there(load: Load, working: int, most: int, run: bool) -> None:
    assert 0 <= plan_workers(load, KIND, working, most, run=run) <= max(working, most)


@given(loads, few, few, st.booleans())
def test_nobody_is_sent_away_before_all_is_done(load: Load, working: int, most: int, run: bool) -> None:
    wanted = plan_workers(load, KIND, working, most, run=run)
    assert wanted == 0 if load.empty else wanted >= working


@given(loads, few, st.integers(1, 20))
def test_a_run_leaves_nothing_waiting_without_a_worker(load: Load, working: int, most: int) -> None:
    assert not load.waiting or plan_workers(load, KIND, working, most, run=True)


@given(loads, counts, few, few, st.booleans())
def test_more_messages_never_mean_fewer_workers(load: Load, more: int, working: int, most: int, run: bool) -> None:
    deeper = load.model_copy(update={"waiting": load.waiting + more})
    fewer = plan_workers(load, KIND, working, most, run=run)
    assert fewer <= plan_workers(deeper, KIND, working, most, run=run)


@given(loads, few, st.booleans())
def test_with_no_worker_allowed_none_is_started(load: Load, working: int, run: bool) -> None:
    assert plan_workers(load, KIND, working, 0, run=run) <= working
