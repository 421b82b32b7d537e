"""The upgrade flow: a release takes over from the live version of a role, or everything stays as it was."""

from datetime import timedelta

from prefect import flow

from tasks.calendar_checks import check_calendar
from tasks.locks import holding
from tasks.model import Changes, Release, Version
from tasks.overview import publish_changes
from tasks.progress import telling_why
from tasks.recording import recording
from tasks.replacement import Order
from tasks.retiring import retire_due
from tasks.roles import load_role
from tasks.rollouts import Rollout
from tasks.upgrades import check_plan, check_way_back, roll_out
from tasks.versions import find_replaced


@flow(name="upgrade", flow_run_name="upgrade {version.role} to {version.id} on {version.stack}")
def upgrade(
    version: Version,
    release: Release,
    plan: Rollout | None = None,
    force: bool = False,
    wait: timedelta | None = None,
    override_calendar: str = "",
) -> Changes:
    """Replace the live version of a role under load; on any failure the old version serves as before.

    Args:
        version: the stack, the role and the id of the version that is to take over; it may be there already
        release: what it is made of
        plan: strategy, steps, gates and windows; without it the role's own
        force: also a version that failed before, and also when the old one could not take its traffic back
        wait: how long to wait for another change of the role to end; without it this one is refused at once
        override_calendar: why it goes on though the stack's calendar holds it; recorded
    """
    role = load_role(version.role)
    plan = check_plan(role, plan or role.rollout)
    key = f"{version.stack}-{role.name}"
    check_calendar(version.stack, "upgrade", override_calendar)

    with (
        holding(version.stack, role.name, f"upgrade to {version.id}", wait) as lock,
        telling_why(f"{key}-waiting", f"Why the upgrade of {role.name} to {version.id} waits"),
    ):
        old = find_replaced(version, role)
        if old is None:
            return ()
        order = Order(role=role, old=old, new=version, release=release, plan=plan)
        check_way_back(lock, order, force=force)
        with recording(version, role) as recorder:
            changes = roll_out(order, lock, recorder)
        changes += retire_due(lock, version.stack, role)

    publish_changes(key, changes)
    return changes
