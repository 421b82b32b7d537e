"""What is said on the command line becomes a plan, or a sentence."""

from __future__ import annotations

from datetime import timedelta

import pytest
from pydantic import ValidationError

from tasks.errors import UsageError
from tasks.rollouts import Rollout, Strategy
from tyrell.plans import changed_plan, parse_weights

PLAN = Rollout(steps=(5, 100), approve_before=(5,), pause=timedelta(minutes=3))


def changed(
    plan: Rollout = PLAN,
    *,
    steps: str = "",
    approve: bool = False,
    gate: bool = True,
    strategy: str = "",
    **seconds: float | None,
) -> Rollout:
    """The plan when only that is said."""
    return changed_plan(plan, steps=steps, approve=approve, gate=gate, strategy=strategy, **seconds)


def test_nothing_said_changes_nothing() -> None:
    assert changed(pause=None) == PLAN


@pytest.mark.parametrize("steps", ["10,50,100", "10, 50, 100"])
def test_other_steps_need_no_approval_of_the_old_ones(steps: str) -> None:
    plan = changed(steps=steps)
    assert (plan.steps, plan.approve_before) == ((10, 50, 100), ())


def test_approval_is_asked_before_everything_goes_to_the_new_version() -> None:
    assert changed(steps="10,100", approve=True).approve_before == (100,)
    assert changed(strategy="blue-green", approve=True).approve_before == (100,)


def test_times_are_seconds() -> None:
    plan = changed(pause=0, rollback_window=90)
    assert (plan.pause, plan.rollback_window) == (timedelta(), timedelta(seconds=90))


def test_the_gate_can_be_left_out_and_the_strategy_changed() -> None:
    plan = changed(gate=False, strategy="blue-green")
    assert (plan.gate, plan.strategy, plan.percents) == (None, Strategy.blue_green, (100,))


def test_steps_that_are_no_numbers_are_refused_with_an_example() -> None:
    with pytest.raises(UsageError, match="--steps 10,half: write percentages, for example --steps 10,50,100"):
        changed(steps="10,half")


def test_a_plan_that_contradicts_itself_is_refused() -> None:
    with pytest.raises(ValidationError, match="steps 50, 10 cannot be"):
        changed(steps="50,10")


@pytest.mark.parametrize(
    ("given", "weights"),
    [
        (["two"], {"two": 100}),
        (["two=100"], {"two": 100}),
        (["one=90", "two=10"], {"one": 90, "two": 10}),
        (["one=0", "two=100"], {"two": 100, "one": 0}),
    ],
)
def test_weights_are_read_as_they_are_written(given: list[str], weights: dict[str, int]) -> None:
    assert list(parse_weights(given).items()) == list(weights.items())


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ([], "give one or two versions 100 % in all"),
        (["one=90"], "one 90 % are 90 % together; give one or two versions 100 % in all"),
        (["one=90", "two=20"], "one 90 % and two 20 % are 110 % together"),
        (["one=30", "two=30", "three=40"], "give one or two versions 100 % in all"),
        (["one=50", "one=100"], "one is named twice"),
        (["one", "two"], "one: write VERSION=PERCENT"),
        (["one=half", "two=50"], "one=half: write VERSION=PERCENT"),
        (["one=-1", "two=101"], "one=-1: write VERSION=PERCENT"),
        (["one=²", "two=98"], "one=²: write VERSION=PERCENT"),
        (["=100"], "=100: write VERSION=PERCENT"),
    ],
)
def test_weights_that_cannot_be_are_refused(given: list[str], sentence: str) -> None:
    with pytest.raises(UsageError, match=sentence):
        parse_weights(given)
