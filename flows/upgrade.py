"""The upgrade flow: a release takes over from the live version of a role, or everything stays as it was."""

from prefect import flow

from tasks.artifact_keys import What, artifact_key
from tasks.calendar_checks import check_calendar
from tasks.locks import holding
from tasks.model import Changes, StackName
from tasks.overview import publish_changes
from tasks.parameters import LinkRole, OptionalVersion, Wait
from tasks.progress import telling_why
from tasks.recording import recording
from tasks.replacement import Order
from tasks.retiring import retire_due
from tasks.roles import load_role
from tasks.rollouts import Rollout
from tasks.run_list import name_run, tag_run
from tasks.traffic_table import recording_traffic
from tasks.upgrades import check_plan, check_way_back, roll_out
from tasks.versions import find_candidate, find_replaced


@flow(name="upgrade", flow_run_name="upgrade {role} on {stack}", on_running=[tag_run])
def upgrade(
    stack: StackName,
    role: LinkRole,
    to: str = "",
    version: OptionalVersion = "",
    plan: Rollout | None = None,
    force: bool = False,
    wait: Wait = None,
    override_calendar: str = "",
) -> Changes:
    """Replace the live version of a role under load; on any failure the old version serves as before.

    Args:
        stack: the stack
        role: the role
        to: a release, a version that is there already, or a machine image; without it the newest of its kind
        version: the id of the version that takes over; without it the release's own
        plan: strategy, steps, gates and windows; without it the role's own
        force: also a version that failed before, and also when the old one could not take its traffic back
        wait: how long to wait for another change of the role to end, as PT10M; without it this one is refused at once
        override_calendar: why it goes on though the stack's calendar holds it; recorded
    """
    kind = load_role(role)
    plan = check_plan(kind, plan or kind.rollout)
    check_calendar(stack, "upgrade", override_calendar)
    new, release = find_candidate(stack, kind, to, version)
    name_run(f"upgrade {role} to {new.id} on {stack}")
    key = f"{stack}-{role}"

    with (
        holding(stack, role, f"upgrade to {new.id}", wait) as lock,
        telling_why(artifact_key(What.WAITING, stack, role), f"Why the upgrade of {role} to {new.id} waits"),
    ):
        old = find_replaced(new, kind)
        if old is None:
            return ()
        order = Order(role=kind, old=old, new=new, release=release, plan=plan)
        check_way_back(lock, order, force=force)
        with recording_traffic(stack, kind), recording(new, kind) as recorder:
            changes = roll_out(order, lock, recorder)
        changes += retire_due(lock, stack, kind)

    publish_changes(key, changes)
    return changes
