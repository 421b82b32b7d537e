"""A plan is carried out only as long as the world is as it was when it was made."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from tasks.errors import PlanOutdated
from tasks.planning.plan import Plan, Step, Twice, check_unmoved
from tasks.planning.publishing import markdown_of
from tests.planning.plans import FACTS, MINUTE, STEPS, draft, plan


def test_a_plan_of_the_same_world_is_good() -> None:
    check_unmoved(plan(), draft(fixes={"to": "two"}, seen=("3 messages wait",), before={"t3.small": 3}))


@pytest.mark.parametrize(
    ("changed", "sentence"),
    [
        (
            {"facts": FACTS | {"the live version of router": "two (100 %)"}},
            "the plan was made when the live version of router was: one (100 %); now it is: two (100 %); plan again",
        ),
        (
            {"facts": FACTS | {"router three": "2 machines"}},
            "the plan was made when router three was: none; now it is: 2 machines; plan again",
        ),
        (
            {"facts": {"bad versions of router": "none"}},
            "the plan was made when the live version of router was: one (100 %); now it is: none; plan again",
        ),
        (
            {"steps": STEPS[:1]},
            "the plan was made when what it does was: give two all traffic (0:00:00 to 0:01:00); now it is: none;"
            " plan again",
        ),
    ],
)
def test_a_plan_of_another_world_is_refused_with_what_is_different(changed: dict[str, Any], sentence: str) -> None:
    with pytest.raises(PlanOutdated) as refusal:
        check_unmoved(plan(), draft(**changed))
    assert str(refusal.value) == sentence


def test_a_step_that_nothing_ends_leaves_the_whole_open() -> None:
    assert (draft().least, draft().most) == (MINUTE, 11 * MINUTE)
    assert draft(steps=(*STEPS, Step(what="drain", most=None))).most is None


def test_a_plan_is_the_same_when_it_comes_back_from_its_file() -> None:
    beside = Twice(role="router", machines=2, least=timedelta(hours=1), most=None, until="`tyrell prune` finds it idle")
    written = plan(draft(twice=(beside,)))
    assert Plan.model_validate_json(written.model_dump_json()) == written


def test_the_artifact_tells_steps_times_and_facts() -> None:
    told = markdown_of(plan())
    assert "| start two | 0:01:00 | 0:10:00 |" in told
    assert "- the live version of router: one (100 %)" in told
    assert "USD an hour: 0.042 → 0.000 → 0.000" in told
