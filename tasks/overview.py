"""A stack at one moment: every version, its health where it counts, its share of traffic, and what is wrong with it."""

from __future__ import annotations

from functools import partial

from prefect.artifacts import create_markdown_artifact, create_table_artifact

from tasks.activities import find_troubles
from tasks.artifact_keys import What, artifact_key
from tasks.errors import EtcdUnreachable, no_stack
from tasks.events import Event, tell_event
from tasks.groups import add_addresses, find_bare_groups
from tasks.health import find_health, is_by_address
from tasks.locks import find_locks
from tasks.model import Changes, Group, Health, Overview, Row
from tasks.pins import pinned_for
from tasks.roles import Role, load_role
from tasks.stacks import check_ours
from tasks.steps import in_parallel, step
from tasks.versions import find_shares


def find_overview(stack: str) -> Overview:
    """The stack as the world tells it now; what cannot be asked is a problem of its row, not an error.

    Raises NotFound when there is no such stack, UsageError when it is not one of ours.
    """
    base = check_ours(stack, "base")
    if base is None:
        raise no_stack(stack)
    bare = find_bare_groups(stack)
    roles = {name: load_role(name) for name in sorted({group.version.role for group in bare})}
    seen = in_parallel([partial(_of_role, stack, role, bare) for role in roles.values()])
    traffic = dict(zip(roles, [shares for shares, _ in seen], strict=True))
    groups = sorted((group for _, groups in seen for group in groups), key=lambda group: group.name)
    locked = _locked(stack)
    rows = in_parallel(
        [partial(_row, group, roles[group.version.role], traffic[group.version.role], locked) for group in groups]
    )
    return Overview(
        stack=stack,
        url=base.outputs.get("PublicUrl", ""),
        internal_url=base.outputs.get("InternalUrl", ""),
        rows=tuple(rows),
    )


def _of_role(stack: str, role: Role, bare: tuple[Group, ...]) -> tuple[dict[str, int] | None, tuple[Group, ...]]:
    """The shares of its versions (see `_traffic`), and its groups.

    Only machines that are asked, or known, by address have theirs: EC2 says much of each.
    """
    groups = tuple(group for group in bare if group.version.role == role.name)
    return _traffic(stack, role, groups), add_addresses(groups) if is_by_address(role) else groups


def _traffic(stack: str, role: Role, groups: tuple[Group, ...]) -> dict[str, int] | None:
    """By the versions of `groups`; None when nobody can tell."""
    try:
        return find_shares(stack, role, groups)
    except EtcdUnreachable:
        return None


def _locked(stack: str) -> frozenset[str] | None:
    """The roles that somebody is changing; None when nobody can tell."""
    try:
        return frozenset(lock.role for lock in find_locks(stack))
    except EtcdUnreachable:
        return None


def _abandoned(group: Group, locked: frozenset[str] | None) -> tuple[str, ...]:
    """That an upgrade holds its size and nobody is doing it any more: the process died."""
    to, role = pinned_for(group), group.version.role
    if not to or locked is None or role in locked:
        return ()
    again = f"`tyrell upgrade {role} --to {to}` goes on with it, `tyrell rollback {role}` goes back"
    return (f"an upgrade to {to} has stopped half-way: {again}",)


def _row(group: Group, role: Role, traffic: dict[str, int] | None, locked: frozenset[str] | None) -> Row:
    try:
        health = find_health(group, role)
    except EtcdUnreachable as error:
        health = Health(healthy=0, wanted=group.desired * role.members_per_machine, problems=(str(error),))
    has_share = traffic is not None and role.traffic.kind != "none"
    return Row(
        role=role.name,
        version=group.version.id,
        group=group.name,
        healthy=health.healthy,
        wanted=health.wanted,
        machines=len(group.in_service),
        desired=group.desired,
        traffic=(traffic or {}).get(group.version.id, 0) if has_share else None,
        problems=(*_abandoned(group, locked), *find_troubles(group), *health.problems),
    )


@step("overview of {stack}", system="artifacts")
def publish_overview(stack: str) -> Overview:
    """The overview, also kept as a table artifact of the run."""
    overview = find_overview(stack)
    create_table_artifact(
        key=artifact_key(What.OVERVIEW, stack),
        description=f"Stack {stack} at {overview.url}",
        table=[
            {
                "role": row.role,
                "version": row.version,
                "group": row.group,
                "healthy": f"{row.healthy}/{row.wanted}",
                "machines": f"{row.machines}/{row.desired}",
                "traffic": "" if row.traffic is None else f"{row.traffic} %",
                "problems": "; ".join(row.problems),
            }
            for row in overview.rows
        ],
    )
    return overview


def tell_unhealthy(overview: Overview) -> None:
    """An event for each version at work that lacks something; for one of which nobody can tell whether it is, too."""
    for row in overview.rows:
        if not row.whole and row.traffic != 0:
            tell_event(
                Event.VERSION_UNHEALTHY,
                (overview.stack, row.role, row.version),
                healthy=row.healthy,
                wanted=row.wanted,
                traffic=row.traffic,
                problems=row.problems,
            )


@step("what changed in {of}", system="artifacts")
def publish_changes(of: str, changes: Changes) -> None:
    """What the run changed, in order, as a markdown artifact; `of` is a stack, or `<stack>-<role>`."""
    lines = [f"- {change}" for change in changes] or ["Nothing: everything was as wanted."]
    key = artifact_key(What.CHANGES, of)
    create_markdown_artifact("\n".join(lines), key=key, description=f"What this run changed in {of}")
