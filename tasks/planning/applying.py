"""What `apply_stack` would do with a CloudFormation stack: create it, update it, make it again, or leave it alone."""

from __future__ import annotations

from collections.abc import Collection

from tasks import applying
from tasks.change_sets import Change, check_keeps, foresee_changes
from tasks.errors import UsageError
from tasks.model import Noun
from tasks.planning.facts import Facts, stack_facts, wanted_facts
from tasks.planning.plan import Step
from tasks.planning.steps import counted, creating, deleting
from tasks.stack_statuses import statuses
from tasks.stacks import PATIENCE, Blueprint, CfnStack, check_ours, stack_failed


class Applied(Noun):
    """What would be done."""

    steps: tuple[Step, ...]
    changes: tuple[Change, ...]
    facts: Facts


def foresee_apply(blueprint: Blueprint, named: Collection[str] = (), instead: str = applying.INSTEAD) -> Applied:
    """What would be done to make the stack be as the blueprint says; nothing of that is begun.

    Raises what applying it would: StackFailed when it cannot be updated, WouldLose for what is not `named`; UsageError
    while CloudFormation is at work on it.
    """
    found = check_ours(blueprint.name, blueprint.kind)
    facts = stack_facts(blueprint.name) | wanted_facts(blueprint)
    create = creating(blueprint.name, blueprint.template)
    if found is None:
        return Applied(steps=(create,), changes=(), facts=facts)
    match statuses().action(found.status):
        case "wait":
            raise UsageError(f"stack {found.name} is {found.status}; plan again when that is over")
        case "create":
            return Applied(steps=(create,), changes=(), facts=facts)
        case "update":
            return _updated(found, blueprint, named, instead, facts)
        case "remake" if not found.is_base:
            return Applied(steps=(deleting(found.name), create), changes=(), facts=facts)
    raise stack_failed(found, statuses().refuse.get(found.status, "no run can mend that"))


def _updated(found: CfnStack, blueprint: Blueprint, named: Collection[str], instead: str, facts: Facts) -> Applied:
    changes = foresee_changes(found, blueprint)
    if changes is None:
        return Applied(steps=(), changes=(), facts=facts)
    check_keeps(changes, named, instead)
    what = f"update stack {found.name}: change {counted(len(changes), 'resource')}"
    return Applied(steps=(Step(what=what, most=PATIENCE.timeout),), changes=changes, facts=facts)
