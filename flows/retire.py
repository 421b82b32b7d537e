"""The retire flow: a version that serves nobody is deleted."""

from datetime import UTC, datetime

from prefect import flow

from tasks.calendar_checks import check_calendar
from tasks.groups import find_group
from tasks.locks import holding
from tasks.model import Changes, StackName, Version, VersionId
from tasks.parameters import LinkRole, Wait
from tasks.retention import check_may_go
from tasks.retiring import delete_version, stop_version
from tasks.roles import load_role
from tasks.run_list import tag_run
from tasks.versions import find_working


@flow(name="retire", flow_run_name="retire {role} {version} of {stack}", on_running=[tag_run])
def retire(
    stack: StackName,
    role: LinkRole,
    version: VersionId,
    force: bool = False,
    wait: Wait = None,
    override_calendar: str = "",
) -> Changes:
    """Drain a version that gets no traffic, and delete it. Returns what changed.

    Args:
        stack: the stack
        role: the role
        version: the version that is to go
        force: also inside its rollback window
        wait: how long to wait for another change of the role to end, as PT10M; without it this one is refused at once
        override_calendar: why it goes on though the stack's calendar holds it; recorded
    """
    kind = load_role(role)
    check_calendar(stack, "retire", override_calendar)
    idle = Version(stack=stack, role=role, id=version)
    with holding(stack, role, f"retire {version}", wait) as lock:
        check_may_go(find_group(idle), find_working(stack, kind), datetime.now(UTC), force=force)
        changes = stop_version(lock, idle, kind, kind.rollout.drain_rate)
        return changes + delete_version(lock, idle, kind)
