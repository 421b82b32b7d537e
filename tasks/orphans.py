"""Versions that runs have left behind which died, or failed, before the version served anybody."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

from prefect.client.orchestration import get_client
from prefect.client.schemas.filters import FlowRunFilter
from prefect.client.schemas.objects import FlowRun
from prefect.client.schemas.sorting import FlowRunSort

from tasks.groups import find_groups
from tasks.locks import Lock, check_held, find_locks
from tasks.marks import left_at
from tasks.model import Changes, Group, Noun, Version
from tasks.pins import pinned_for
from tasks.retiring import delete_version, stop_version
from tasks.roles import Role, load_role
from tasks.stacks import CfnStack, delete_stack, find_tagged
from tasks.versions import find_working


class Orphan(Noun):
    """A version that nobody will finish."""

    version: Version
    has_group: bool
    """A creation that was cut short may have left its CloudFormation stack only."""
    why: str
    """Which run was to make it, and what became of that."""


def find_orphans(stack: str, after: timedelta) -> tuple[Orphan, ...]:
    """Versions that never served, and that the last run that was to make them has not finished.

    A run has not when Prefect says that it failed, crashed or was cancelled; or when it has lasted longer than `after`
    and holds no lock: it was killed, and nobody could tell Prefect. A version whose run Prefect does not know is left
    alone, and so is one that is part of an unfinished upgrade. Raises EtcdUnreachable.
    """
    groups = {group.version: group for group in find_groups(stack)}
    unused = _unused(stack, groups, find_tagged({"tyrell:kind": "version", "tyrell:stack": stack}))
    runs = _last_runs([name for version in unused for name in _run_names(version)])
    held = {lock.run for lock in find_locks(stack)}
    orphans = []
    for version in unused:
        known = [runs[name] for name in _run_names(version) if name in runs]
        last = max(known, key=_began, default=None)
        if last and (why := _dead(last, held, after)):
            orphans.append(Orphan(version=version, has_group=version in groups, why=why))
    return tuple(orphans)


def _unused(stack: str, groups: dict[Version, Group], stacks: Iterable[CfnStack]) -> list[Version]:
    versions = [
        Version(stack=stack, role=each.tags["tyrell:role"], id=each.tags["tyrell:version"])
        for each in stacks
        if not each.moving
    ]
    working = {name: find_working(stack, load_role(name)) for name in {version.role for version in versions}}
    return [
        version
        for version in versions
        if version.id not in working[version.role] and not (version in groups and _was_used(groups[version]))
    ]


def _was_used(group: Group) -> bool:
    return left_at(group) is not None or bool(pinned_for(group))


def _run_names(version: Version) -> tuple[str, ...]:
    """How the flows that make a version call their runs."""
    return (
        f"deploy {version.role} {version.id} to {version.stack}",
        f"upgrade {version.role} to {version.id} on {version.stack}",
    )


def _last_runs(names: list[str]) -> dict[str, FlowRun]:
    """The newest run of each name."""
    if not names:
        return {}
    named = FlowRunFilter.model_validate({"name": {"any_": names}})
    with get_client(sync_client=True) as client:
        found = client.read_flow_runs(flow_run_filter=named, sort=FlowRunSort.START_TIME_ASC)
    return {run.name: run for run in found}


def _began(run: FlowRun) -> datetime:
    return run.start_time or datetime.now(UTC)


def _dead(run: FlowRun, held: set[str], after: timedelta) -> str:
    """Why the run will not finish what it began; empty when it has, or still may."""
    if run.state is None or run.state.is_completed():
        return ""
    if run.state.is_final():
        return f"the run `{run.name}` is {run.state.name}"
    if str(run.id) in held or datetime.now(UTC) - _began(run) < after:
        return ""
    return f"the run `{run.name}` of {_began(run):%F %R} UTC holds no lock any more"


def remove_orphan(lock: Lock | None, orphan: Orphan, role: Role) -> Changes:
    """Delete the version. Raises LockLost, StackFailed."""
    if orphan.has_group:
        return stop_version(lock, orphan.version, role, role.rollout.drain_rate) + delete_version(
            lock, orphan.version, role
        )
    check_held(lock)
    return delete_stack(orphan.version.stack_name)
