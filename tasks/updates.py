"""An update of what outlives releases: what it would do, whether it may, and doing it."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from contextlib import ExitStack, contextmanager
from datetime import timedelta

from prefect.artifacts import create_table_artifact

from tasks.artifact_keys import What, artifact_key
from tasks.change_sets import Change, ChangeSet, check_keeps, delete_change_set, execute_change_set, make_change_set
from tasks.errors import Conflict, TyrellError, no_stack
from tasks.locks import Lock, check_held, holding
from tasks.model import Changes, Noun
from tasks.renewals import Renewal
from tasks.roles import role_names
from tasks.stacks import Blueprint, find_at_rest
from tasks.steps import step

INSTEAD = "name what may go: --allow-replace LOGICAL_ID, once for each"


class Update(Noun):
    """What an update of a stack is to do, and what it has done."""

    stack: str
    changes: tuple[Change, ...]
    """Of the network and the base, resource by resource."""
    others: tuple[str, ...] = ()
    """The CloudFormation stacks of which nothing but outputs changes."""
    renewal: Renewal | None
    done: Changes = ()

    @property
    def needed(self) -> bool:
        """Whether there is anything to do."""
        return bool(self.changes or self.others or self.renewal)


@contextmanager
def holding_all(stack: str, doing: str, wait: timedelta | None) -> Iterator[tuple[Lock, ...]]:
    """The locks of all roles while the block runs: what they share is to change. Raises as `holding` does."""
    with ExitStack() as held:
        taken = [held.enter_context(holding(stack, role, doing, wait)) for role in role_names()]
        yield tuple(lock for lock in taken if lock)


def make_change_sets(blueprints: Collection[Blueprint]) -> tuple[ChangeSet, ...]:
    """One for every stack that is not as its blueprint says. Raises NotFound for a stack there is not, StackFailed."""
    made = []
    for blueprint in blueprints:
        found = find_at_rest(blueprint)
        if found is None:
            raise no_stack(blueprint.name)
        made.append(make_change_set(found, blueprint))
    return tuple(filter(None, made))


def update_of(stack: str, change_sets: Collection[ChangeSet], renewal: Renewal | None) -> Update:
    """What they would do, as one."""
    return Update(
        stack=stack,
        changes=tuple(change for change_set in change_sets for change in change_set.changes),
        others=tuple(change_set.stack.name for change_set in change_sets if not change_set.changes),
        renewal=renewal,
    )


def forget(change_sets: Collection[ChangeSet]) -> None:
    """Delete them: nothing of them is to be done."""
    for change_set in change_sets:
        delete_change_set(change_set)


def carry_out(
    change_sets: Collection[ChangeSet],
    update: Update,
    agreed: Update | None,
    named: Collection[str],
    locks: tuple[Lock, ...],
) -> Changes:
    """Execute them, one after the other.

    Raises Conflict when the update is not the one that was `agreed` to, WouldLose when it would replace or remove what
    is not `named` (then nothing of it is left), LockLost, and StackFailed.
    """
    try:
        _check_agreed(update, agreed)
        check_keeps(update.changes, named, INSTEAD)
    except TyrellError:
        forget(change_sets)
        raise
    changes: Changes = ()
    for change_set in change_sets:
        for lock in locks:
            check_held(lock)
        changes += execute_change_set(change_set)
    return changes


def _check_agreed(update: Update, agreed: Update | None) -> None:
    if agreed and (set(update.changes), update.renewal) != (set(agreed.changes), agreed.renewal):
        expected, found = (_summary(each) for each in (agreed, update))
        raise Conflict(f"what the update of stack {update.stack} would do", expected, found)


def _summary(update: Update) -> str:
    return ", ".join(f"{change.logical_id} {change.told}" for change in update.changes) or "nothing in its base"


@step("what the update of {update.stack} does", system="artifacts")
def publish_update(update: Update) -> None:
    """Every resource that changes, as a table artifact of the run."""
    rows = [
        {
            "stack": change.stack,
            "resource": change.logical_id,
            "type": change.type,
            "action": change.action,
            "what happens": change.told,
            "must be named": "yes" if change.loses else "",
        }
        for change in update.changes
    ]
    key = artifact_key(What.UPDATE, update.stack)
    create_table_artifact(table=rows, key=key, description=f"What an update of {update.stack} does")
