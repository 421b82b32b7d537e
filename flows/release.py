"""The release flow: from what lies in the checkout to traffic, one role after the other."""

from prefect import flow

from flows.bake_ami import bake_ami
from flows.build_image import build_images
from flows.upgrade import upgrade
from tasks.bake_keys import Offer
from tasks.bake_plans import foresee_bake
from tasks.bakeries import bake_offer, own_bakery
from tasks.calendar_checks import check_calendar
from tasks.machine_images import find_roles
from tasks.model import Changes, StackName
from tasks.overview import publish_changes
from tasks.parameters import LinkRole, OptionalNetwork, OptionalVersion, Wait
from tasks.recipes import check_committed
from tasks.release_plan_lines import publish_release_plan
from tasks.release_plans import plan_release
from tasks.releases import find_planned, find_released, kinds_of, offer_of, recording_release
from tasks.rollouts import Rollout
from tasks.run_list import tag_run
from tasks.steps import one_heartbeat


@flow(name="release", flow_run_name="release to {stack}", on_running=[tag_run])
def release(
    stack: StackName,
    roles: tuple[LinkRole, ...] = (),
    version: OptionalVersion = "",
    images: dict[str, str] | None = None,
    plans: dict[LinkRole, Rollout] | None = None,
    network: OptionalNetwork = "",
    force: bool = False,
    require_clean: bool = False,
    wait: Wait = None,
    override_calendar: str = "",
    dry_run: bool = False,
) -> Changes:
    """Build what has changed, bake it once, and upgrade every role it concerns; the first failure ends it.

    Args:
        stack: the stack
        roles: whom to upgrade; without them every role that has a live version
        version: what the new versions are called; without it like the machine image
        images: ready-made Docker images by role, which are not built
        plans: strategy, steps, gates and windows by role, where the role's own are not wanted
        network: the network to bake in; without it the only one there is, or the demo's
        force: also a version that failed before, and also when the old one could not take its traffic back
        require_clean: refuse when the checkout holds something that no commit has
        wait: how long to wait for another change of a role to end, as PT10M; without it this one is refused at once
        override_calendar: why it goes on though the stack's calendar holds it; recorded
        dry_run: only say, in the log and in an artifact, what would be done and why
    """
    released = find_released(stack, roles)
    if require_clean:
        check_committed()
    if dry_run:
        publish_release_plan(stack, plan_release(stack, roles, version, images or {}))
        return ()
    check_calendar(stack, "release", override_calendar)

    changes: Changes = ()
    with one_heartbeat():
        offers = {kind: _make_machine_image(kind, images or {}, network) for kind in kinds_of(released)}
        rollout = tuple(find_planned(stack, role, offers[role.machine_image], version) for role in released)
        with recording_release(stack, rollout) as record:
            for planned in rollout:
                if planned.changed:
                    record.begun(planned)
                    plan = (plans or {}).get(planned.role)
                    changes += upgrade(stack, planned.role, planned.ami, planned.version, plan, force, wait)
                    record.ended(planned)

    publish_changes(stack, changes)
    return changes


def _make_machine_image(kind: str, images: dict[str, str], network: str) -> Offer:
    if own_bakery():
        return bake_offer(kind, images)
    there = foresee_bake(kind, images)
    if there.ami:  # nothing to build, nothing to bake
        return there
    build_images(tuple(role.name for role in find_roles(kind) if role.name not in images))
    return offer_of(bake_ami(kind, images, network=network).build)
