"""The switch flow: traffic of a role to versions that are deployed and healthy, in one write and by hand."""

from datetime import timedelta

from prefect import flow

from tasks.calendar_checks import check_calendar
from tasks.locks import holding
from tasks.model import Changes, Version
from tasks.roles import load_role
from tasks.switching import switch_traffic


@flow(name="switch", flow_run_name="switch {version.role} of {version.stack} to {version.id}")
def switch(
    version: Version,
    percent: int = 100,
    rest: Version | None = None,
    wait: timedelta | None = None,
    override_calendar: str = "",
) -> Changes:
    """Move traffic of a role to a version that is deployed and healthy. Returns what changed.

    Args:
        version: the stack, the role and the version that is to get traffic
        percent: how much of it; with less than 100, `rest` gets what is left
        rest: the version that gets what is left
        wait: how long to wait for another change of the role to end; without it this one is refused at once
        override_calendar: why it goes on though the stack's calendar holds it; recorded
    """
    role = load_role(version.role)
    check_calendar(version.stack, "switch", override_calendar)
    with holding(version.stack, role.name, f"switch to {version.id}", wait) as lock:
        return switch_traffic(lock, version, role, percent, rest)
