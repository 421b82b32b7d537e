"""Which version takes over from which: told from who works now, and from what unfinished upgrades left in the tags.

Nothing here looks at the world: `groups` are the role's, by name; `working` are the versions at work by id, with their
percent of the traffic, or, without traffic, with their machines. All answers are ids of versions.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from tasks.errors import NotFound, UsageError, nothing_live
from tasks.marks import LEFT
from tasks.model import Group
from tasks.pins import pinned_for
from tasks.roles import Role


def only_one(role: Role, working: Mapping[str, int], before: str) -> str:
    """The one that works. Raises NotFound without one; UsageError when two do: that has to end `before` something."""
    if not working:
        raise nothing_live(role.name)
    if len(working) > 1:
        shown = " and ".join(f"{name} ({share})" for name, share in working.items())
        raise UsageError(
            f"{role.name} is between two versions, {shown}: finish it with `tyrell upgrade {role.name} --to VERSION`"
            f" or go back with `tyrell rollback {role.name}` before it {before}"
        )
    return next(iter(working))


def replaced(new: str, role: Role, groups: Sequence[Group], working: Mapping[str, int]) -> str | None:
    """The version that `new` is to take over from, also half-way; None when `new` has taken over long ago.

    Raises NotFound when nothing is live, UsageError when two others share the work, or when an unfinished upgrade goes
    from `new` to the version at work.
    """
    others = {name: share for name, share in working.items() if name != new}
    for group in groups:
        to = pinned_for(group)
        if group.version.id == new and to in others and role.traffic.kind != "none":
            raise UsageError(
                f"an unfinished upgrade goes from {role.name} {new} to {to}; `tyrell rollback {role.name}` ends it"
            )
    before = [group.version.id for group in groups if pinned_for(group) == new != group.version.id]
    if not others and before:
        return before[0]
    if not others and new in working:
        return None
    return only_one(role, others, f"goes to {new}")


def left_by_rollback(to: str, role: Role, groups: Sequence[Group], working: Mapping[str, int]) -> str | None:
    """The version that a rollback leaves: the one an unfinished upgrade goes to, else the live one; with least traffic.

    None when `to` is live already: a rollback that was killed at its end has nothing left to do. The version may not be
    there: an upgrade can die before it has made it. Raises NotFound when nothing is live.
    """
    unfinished = {pinned_for(group) for group in groups} - {"", to}
    leaving = unfinished or working.keys() - {to}
    if not leaving and not working:
        raise nothing_live(role.name)
    return min(sorted(leaving), key=lambda name: working.get(name, 0), default=None)


def way_back(
    leaving: str, role: Role, groups: Sequence[Group], working: Mapping[str, int], bad: Collection[str]
) -> str:
    """The version to go back to from `leaving`.

    The one it shares the traffic with, else the one that an unfinished upgrade came from, else the last known good.
    Raises NotFound when there is none.
    """
    others = [group for group in groups if group.version.id != leaving]
    for group in sorted(others, key=lambda group: group.version.id not in working):
        if group.version.id in working or pinned_for(group) == leaving:
            return group.version.id
    good = [group for group in others if LEFT in group.tags and group.version.id not in bad]
    if not good:
        raise NotFound(f"a version of {role.name} known good to go back to", f"`tyrell versions {role.name}` shows all")
    return max(good, key=lambda group: group.tags[LEFT]).version.id
