"""What a rollout may be: its steps, and what is refused because it contradicts itself."""

from __future__ import annotations

from datetime import timedelta

import pytest
from pydantic import ValidationError

from tasks.rollouts import Gate, Rollout, Smoke, Strategy


@pytest.mark.parametrize(
    ("share", "still"),
    [(0, (1, 10, 50, 100)), (1, (1, 10, 50, 100)), (10, (10, 50, 100)), (30, (50, 100)), (100, (100,))],
)
def test_going_on_begins_with_the_step_it_is_at(share: int, still: tuple[int, ...]) -> None:
    assert Rollout().percents_from(share) == still


@pytest.mark.parametrize("share", [0, 50, 100])
def test_blue_green_has_one_step_whatever_the_steps_of_a_canary_are(share: int) -> None:
    assert Rollout(strategy=Strategy.blue_green, steps=(5, 100)).percents_from(share) == (100,)


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"steps": ()}, "steps none cannot be: they are percentages that rise and end with 100"),
        ({"steps": (10, 50)}, "steps 10, 50 cannot be"),
        ({"steps": (50, 10, 100)}, "steps 50, 10, 100 cannot be"),
        ({"steps": (10, 10, 100)}, "steps 10, 10, 100 cannot be"),
        ({"steps": (0, 100)}, "steps 0, 100 cannot be"),
        ({"steps": (100, 101)}, "steps 100, 101 cannot be"),
        ({"steps": (-1, 100)}, "steps -1, 100 cannot be"),
        ({"approve_before": (20,)}, "approve_before 20 is none of the steps 1, 10, 50, 100"),
        ({"strategy": "blue-green", "approve_before": (10,)}, "approve_before 10 is none of the steps 100"),
        ({"rollback_window": "P8D"}, "rollback_window 8 days, 0:00:00 is longer than versions are kept"),
        ({"strategy": "big-bang"}, "Input should be 'canary', 'blue-green', 'rolling' or 'recreate'"),
        ({"batch": 0}, "greater than or equal to 1"),
        ({"drain_rate": 0}, "greater than 0"),
        ({"keep_versions": -1}, "greater than or equal to 0"),
        ({"paws": "PT1M"}, "Extra inputs are not permitted"),
    ],
)
def test_a_rollout_that_cannot_be_is_refused(change: dict[str, object], sentence: str) -> None:
    with pytest.raises(ValidationError, match=sentence):
        Rollout.model_validate(change)


TIMES = [
    (noun, name)
    for noun in (Rollout, Gate)
    for name, field in noun.model_fields.items()
    if field.annotation is timedelta
]


@pytest.mark.parametrize(("noun", "time"), TIMES)
def test_no_time_is_negative(noun: type[Rollout] | type[Gate], time: str) -> None:
    with pytest.raises(ValidationError, match=f"{time}\n  Input should be greater than or equal to 0"):
        noun.model_validate({time: "-PT1S"})


@pytest.mark.parametrize("function", ["gates", "my.gates:", ":gate", "my gates:gate", "a:b:c"])
def test_a_gate_of_ones_own_is_named_as_module_and_function(function: str) -> None:
    with pytest.raises(ValidationError, match="function"):
        Gate(function=function)


@pytest.mark.parametrize("change", [{"path": "state"}, {"path": "/", "status": 99}, {"path": "/", "times": 0}])
def test_a_smoke_check_that_cannot_be_asked_is_refused(change: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        Smoke.model_validate(change)
