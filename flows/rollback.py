"""The rollback flow: all traffic back to a version known good, in one write."""

from prefect import flow

from tasks.locks import holding
from tasks.model import Changes, StackName, Version
from tasks.overview import publish_changes
from tasks.parameters import LinkRole, OptionalVersion, Wait
from tasks.roles import load_role
from tasks.run_list import tag_run
from tasks.switching import check_may_go_back, go_back
from tasks.traffic_table import recording_traffic
from tasks.versions import find_leaving, find_way_back


@flow(name="rollback", flow_run_name="roll {role} of {stack} back", on_running=[tag_run])
def rollback(
    stack: StackName, role: LinkRole, to: OptionalVersion = "", reason: str = "", force: bool = False, wait: Wait = None
) -> Changes:
    """Give all traffic of a role back to an earlier version; the one it leaves is marked bad.

    Args:
        stack: the stack
        role: the role
        to: the version to go back to; without it where an unfinished upgrade came from, else the last known good
        reason: why, for those who later want to know
        force: also to a version that failed before
        wait: how long to wait for another change of the role to end, as PT10M; without it this one is refused at once
    """
    kind = load_role(role)
    with holding(stack, role, f"rollback{f' to {to}' if to else ''}", wait) as lock:
        leaving = find_leaving(stack, kind, to)
        if leaving is None:
            return ()
        back = Version(stack=stack, role=role, id=to) if to else find_way_back(stack, kind, leaving.id)
        check_may_go_back(back, kind, force=force)
        with recording_traffic(stack, kind):
            changes = go_back(lock, leaving, back, kind, reason or "rolled back by hand")
    publish_changes(f"{stack}-{role}", changes)
    return changes
