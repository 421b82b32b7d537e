"""What a plan is: what a flow would do, and the facts of the world that this rests on. Pure data."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date, datetime, timedelta
from typing import Any

from pydantic import Field

from tasks.change_sets import Change
from tasks.errors import PlanOutdated
from tasks.model import Noun

NONE = "none"


class Step(Noun):
    """One thing that a flow does, and how long it takes."""

    what: str
    least: timedelta = timedelta()
    most: timedelta | None = timedelta()
    """After which it fails; None when nothing ends it but its own end."""


class Twice(Noun):
    """Machines that run beside those that they replace, or that replace them."""

    role: str
    machines: int
    least: timedelta
    most: timedelta | None
    until: str
    """What ends it."""


Items = dict[str, float]
"""What is paid for by the hour: how much of it, by its name in the price table."""


class RunRate(Noun):
    """What it costs to have something for an hour."""

    usd_per_hour: float
    unpriced: tuple[str, ...]
    """What the price table does not have, and is not in the sum."""


class Costs(Noun):
    """The run rate before, while and after the flow does its work."""

    before: RunRate
    during: RunRate
    after: RunRate
    prices: date
    """When the prices were those of the list."""
    region: str


class Draft(Noun):
    """What a planner finds out. The same world gives the same draft."""

    of: str
    """Of what: a stack, or `<stack>-<role>`; the plan's artifact is named after it."""
    facts: dict[str, str]
    """The facts that it rests on: what (`the live version of router`), and how that is (`one`)."""
    steps: tuple[Step, ...]
    changes: tuple[Change, ...] = ()
    """What CloudFormation's change sets say of the stacks that are updated."""
    twice: tuple[Twice, ...] = ()
    before: Items = Field(default_factory=dict)
    during: Items = Field(default_factory=dict)
    after: Items = Field(default_factory=dict)
    seen: tuple[str, ...] = ()
    """What else was seen and may be otherwise when it is done: what waits in a queue, how much there is to copy."""
    fixes: dict[str, Any] = Field(default_factory=dict)
    """Parameters that the person left open, as JSON: the flow is to do what was planned, not what is newest then."""

    @property
    def least(self) -> timedelta:
        """How long all steps take at least."""
        return shortest(self.steps)

    @property
    def most(self) -> timedelta | None:
        """How long they take at most; None when nobody can tell."""
        return longest(self.steps)


class Plan(Noun):
    """What a flow with these parameters would do."""

    flow: str
    parameters: dict[str, Any]
    """As JSON."""
    by: str
    at: datetime
    tyrell: str
    """The version of Tyrell that made it."""
    cloud: str
    """Account and endpoint."""
    draft: Draft
    costs: Costs


def shortest(steps: Iterable[Step]) -> timedelta:
    """How long the steps take at least, one after the other."""
    return sum((step.least for step in steps), timedelta())


def longest(steps: Iterable[Step]) -> timedelta | None:
    """How long they take at most; None when one of them has no end."""
    each = [step.most for step in steps]
    return None if None in each else sum(filter(None, each), timedelta())


def check_unmoved(plan: Plan, now: Draft) -> None:
    """Raises PlanOutdated when the flow would now do something else, saying which fact is another one."""
    then = plan.draft
    for what, was in then.facts.items():
        if (found := now.facts.get(what, NONE)) != was:
            raise PlanOutdated(what, was, found)
    for what in now.facts.keys() - then.facts.keys():
        raise PlanOutdated(what, NONE, now.facts[what])
    before, after = _told(then), _told(now)
    if before != after:
        raise PlanOutdated("what it does", *_first_difference(before, after))


def _told(draft: Draft) -> list[str]:
    """All that is done. Not what the whole stack costs: workers come and go meanwhile."""
    steps = [f"{step.what} ({step.least} to {step.most})" for step in draft.steps]
    changes = [f"{change.stack} {change.logical_id} {change.told}" for change in draft.changes]
    return steps + changes + [f"{each.machines} more machines of {each.role}" for each in draft.twice]


def _first_difference(before: list[str], after: list[str]) -> tuple[str, str]:
    length = max(len(before), len(after))
    pairs = zip(_filled(before, length), _filled(after, length), strict=True)
    return next((was, now) for was, now in pairs if was != now)


def _filled(lines: list[str], length: int) -> list[str]:
    return lines + [NONE] * (length - len(lines))


def added(*many: Mapping[str, float]) -> Items:
    """All of them together; what there is none of is left out."""
    total: Items = {}
    for items in many:
        for name, amount in items.items():
            total[name] = total.get(name, 0) + amount
    return {name: total[name] for name in sorted(total) if total[name]}
