"""How each version of a role stands: live, ready to go back to, kept, or bad."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import partial

from tasks.groups import find_groups
from tasks.health import find_health
from tasks.marks import find_bad, hot_until, left_at
from tasks.model import Group, Noun
from tasks.pins import pinned_for
from tasks.roles import Role
from tasks.steps import in_parallel
from tasks.versions import find_working


class Standing(Noun):
    """One version of a role at a moment."""

    version: str
    release: str
    state: str
    healthy: int
    wanted: int
    traffic: int | None
    """Percent; None for a role without traffic."""


def find_standings(stack: str, role: Role) -> tuple[Standing, ...]:
    """Every version of the role, those at work first, then the one that served last. Raises EtcdUnreachable."""
    working, bad, groups = find_working(stack, role), find_bad(stack, role.name), find_groups(stack, role.name)
    health = in_parallel([partial(find_health, group, role) for group in groups])
    standings = [
        Standing(
            version=group.version.id,
            release=group.release,
            state=_state(group, working, bad),
            healthy=seen.healthy,
            wanted=seen.wanted,
            traffic=None if role.traffic.kind == "none" else working.get(group.version.id, 0),
        )
        for group, seen in zip(groups, health, strict=True)
    ]
    served = {group.version.id: str(left_at(group) or "") for group in groups}
    return tuple(sorted(standings, key=lambda each: (each.version in working, served[each.version]), reverse=True))


def _state(group: Group, working: dict[str, int], bad: dict[str, str]) -> str:
    name, until = group.version.id, hot_until(group)
    if pinned_for(group):
        return f"in the upgrade to {pinned_for(group)}"
    if name in working:
        return "live"
    if name in bad:
        return f"bad: {bad[name]}"
    if until and until > datetime.now(UTC) and group.desired:
        return f"can take over at once until {until.astimezone():%F %R}"
    if left_at(group):
        return "served before" + ("" if group.desired else ", without machines")
    return "never served"
