"""The retire flow: a version that serves nobody is deleted."""

from datetime import UTC, datetime, timedelta

from prefect import flow

from tasks.calendar_checks import check_calendar
from tasks.groups import find_group
from tasks.locks import holding
from tasks.model import Changes, Version
from tasks.retention import check_may_go
from tasks.retiring import delete_version, stop_version
from tasks.roles import load_role
from tasks.versions import find_working


@flow(name="retire", flow_run_name="retire {version.role} {version.id} of {version.stack}")
def retire(
    version: Version, force: bool = False, wait: timedelta | None = None, override_calendar: str = ""
) -> Changes:
    """Drain a version that gets no traffic, and delete it. Returns what changed.

    Args:
        version: the stack, the role and the version that is to go
        force: also inside its rollback window
        wait: how long to wait for another change of the role to end; without it this one is refused at once
        override_calendar: why it goes on though the stack's calendar holds it; recorded
    """
    role = load_role(version.role)
    check_calendar(version.stack, "retire", override_calendar)
    with holding(version.stack, role.name, f"retire {version.id}", wait) as lock:
        working = find_working(version.stack, role)
        check_may_go(find_group(version), working, datetime.now(UTC), force=force)
        changes = stop_version(lock, version, role, role.rollout.drain_rate)
        return changes + delete_version(lock, version, role)
