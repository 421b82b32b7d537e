"""The scale flow: more or fewer machines for the live version of a role."""

from prefect import flow

from tasks.calendar_checks import check_calendar
from tasks.locks import holding
from tasks.model import Changes, StackName
from tasks.monitoring.annotations import annotate
from tasks.parameters import LinkRole, Wait
from tasks.roles import load_role
from tasks.run_list import tag_run
from tasks.scaling import scale_in, scale_out
from tasks.versions import find_live


@flow(name="scale", flow_run_name="scale {role} of {stack} to {size}", on_running=[tag_run])
def scale(stack: StackName, role: LinkRole, size: int, wait: Wait = None, override_calendar: str = "") -> Changes:
    """Give the live version that many machines and wait until all are healthy; those that leave are drained first.

    Args:
        stack: the stack
        role: the role
        size: how many machines, within the role's bounds
        wait: how long to wait for another change of the role to end, as PT10M; without it this one is refused at once
        override_calendar: why it goes on though the stack's calendar holds it; recorded
    """
    kind = load_role(role)
    kind.check_size(size)
    check_calendar(stack, "scale", override_calendar)
    with holding(stack, role, f"scale to {size}", wait) as lock:
        group = find_live(stack, kind)
        changes = scale_in(lock, group, kind, size) if size < group.desired else scale_out(group, kind, size)
        annotate(group.version, "scale", changes)
        return changes
