"""What a person changes about a rollout on the command line."""

from __future__ import annotations

from typing import Any

from tasks.errors import UsageError
from tasks.rollouts import FULL, Rollout


def changed_plan(
    plan: Rollout, *, steps: str, approve: bool, gate: bool, strategy: str, **seconds: float | None
) -> Rollout:
    """The plan with what was said on the command line; `seconds` by the field of the plan, None: as it is.

    Raises pydantic's ValidationError for what cannot be.
    """
    changes: dict[str, Any] = {name: value for name, value in seconds.items() if value is not None}
    if strategy:
        changes |= {"strategy": strategy, "approve_before": ()}
    if steps:
        changes |= {"steps": _percentages(steps), "approve_before": ()}
    if approve:
        changes["approve_before"] = (FULL,)
    if not gate:
        changes["gate"] = None
    return Rollout.model_validate(plan.model_dump() | changes)


def _percentages(steps: str) -> tuple[int, ...]:
    try:
        return tuple(int(each) for each in steps.split(","))
    except ValueError:
        raise UsageError(f"--steps {steps}: write percentages, for example --steps 10,50,100") from None


def parse_weights(given: list[str]) -> dict[str, int]:
    """`["two"]` as all traffic to two, `["two=10", "one=90"]` as shares. Raises UsageError when they are not 100."""
    if len(given) == 1 and "=" not in given[0]:
        return {given[0]: FULL}
    weights = {}
    for each in given:
        version, _, percent = each.partition("=")
        if not version or not percent.isdecimal():
            raise UsageError(f"{each}: write VERSION=PERCENT, for example one=90 two=10")
        if version in weights:
            raise UsageError(f"{version} is named twice; give each version its share once")
        weights[version] = int(percent)
    if sum(weights.values()) != FULL or len(weights) > 2:
        shown = " and ".join(f"{version} {percent} %" for version, percent in weights.items())
        raise UsageError(f"{shown} are {sum(weights.values())} % together; give one or two versions 100 % in all")
    return dict(sorted(weights.items(), key=lambda each: -each[1])) if 0 in weights.values() else weights
