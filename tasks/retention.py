"""Which idle versions are kept, and how: up, for a fast way back; without machines; or not at all."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from enum import StrEnum

from tasks.errors import UsageError
from tasks.marks import hot_until, left_at
from tasks.model import Group, Noun, Version
from tasks.pins import pinned_for
from tasks.rollouts import Rollout


class Fate(StrEnum):
    """What is due for an idle version."""

    stop = "stop"
    delete = "delete"


class Due(Noun):
    """A version whose time is over, and why."""

    version: Version
    fate: Fate
    why: str


def find_due(
    groups: Sequence[Group], working: Mapping[str, int], bad: Mapping[str, str], rollout: Rollout, now: datetime
) -> tuple[Due, ...]:
    """What is to be done with the versions of one role, given which of them work and which are known bad.

    Never touched: one that works, one in the middle of an upgrade, one inside its rollback window, one that was
    deployed and has not served yet. The last `keep_versions` that served lose their machines only.
    """
    idle = [group for group in groups if group.version.id not in working and not pinned_for(group)]
    over = [group for group in idle if (hot_until(group) or now) <= now]
    served = sorted((group for group in idle if left_at(group)), key=lambda group: str(left_at(group)), reverse=True)
    kept = [group.name for group in served if group.version.id not in bad][: rollout.keep_versions]
    return tuple(due for group in over if (due := _due(group, group.name in kept, bad, rollout, now)))


def _due(group: Group, kept: bool, bad: Mapping[str, str], rollout: Rollout, now: datetime) -> Due | None:
    version, left = group.version, left_at(group)
    if version.id in bad:
        return Due(version=version, fate=Fate.delete, why=f"it failed: {bad[version.id]}")
    if left is None:
        return None
    if not kept and now - left >= rollout.keep_for:
        return Due(
            version=version, fate=Fate.delete, why=f"idle since {left:%F %R}, {rollout.keep_versions} newer kept"
        )
    if group.desired:
        return Due(version=version, fate=Fate.stop, why=f"its rollback window was over at {hot_until(group):%F %R}")
    return None


def check_may_go(group: Group, working: Mapping[str, int], now: datetime, *, force: bool) -> None:
    """Raises UsageError when the version works, or, without `force`, may still be gone back to at once."""
    version, until = group.version, hot_until(group)
    name = f"{version.role} {version.id}"
    if version.id in working:
        raise UsageError(f"{name} has {working[version.id]} % of the traffic; switch to another version first")
    if pinned_for(group) and not force:
        raise UsageError(f"{name} is part of an unfinished upgrade to {pinned_for(group)}; finish that, or use --force")
    if until and until > now and not force:
        raise UsageError(f"{name} is kept until {until:%F %R} for going back at once; delete it anyway with --force")
