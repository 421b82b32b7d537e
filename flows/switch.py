"""The switch flow: traffic of a role to versions that are deployed and healthy, in one write and by hand."""

from prefect import flow

from tasks.calendar_checks import check_calendar
from tasks.locks import holding
from tasks.model import Changes, StackName, Version, VersionId
from tasks.parameters import LinkRole, OptionalVersion, Percent, Wait
from tasks.roles import load_role
from tasks.run_list import tag_run
from tasks.switching import switch_traffic
from tasks.traffic_table import recording_traffic


@flow(name="switch", flow_run_name="switch {role} to {version} on {stack}", on_running=[tag_run])
def switch(
    stack: StackName,
    role: LinkRole,
    version: VersionId,
    percent: Percent = 100,
    rest: OptionalVersion = "",
    wait: Wait = None,
    override_calendar: str = "",
) -> Changes:
    """Move traffic of a role to a version that is deployed and healthy. Returns what changed.

    Args:
        stack: the stack
        role: the role
        version: the version that is to get traffic
        percent: how much of it; with less than 100, `rest` gets what is left
        rest: the version that gets what is left
        wait: how long to wait for another change of the role to end, as PT10M; without it this one is refused at once
        override_calendar: why it goes on though the stack's calendar holds it; recorded
    """
    kind = load_role(role)
    check_calendar(stack, "switch", override_calendar)
    to = Version(stack=stack, role=role, id=version)
    beside = Version(stack=stack, role=role, id=rest) if rest else None
    with holding(stack, role, f"switch to {version}", wait) as lock, recording_traffic(stack, kind):
        return switch_traffic(lock, to, kind, percent, beside)
