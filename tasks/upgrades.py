"""Before and around a rollout: whether it may begin, and which kind it is."""

from __future__ import annotations

from tasks import registry, traffic
from tasks.by_live_key import ByLiveKey
from tasks.by_member import ByMember
from tasks.by_pointer import ByPointer
from tasks.by_weights import ByWeights
from tasks.core_services import CORE_SERVICES
from tasks.errors import NotReady, RolledBack, UsageError
from tasks.events import Event, tell_event
from tasks.groups import count_free_addresses, find_group, find_groups
from tasks.health import find_health
from tasks.in_batches import InBatches
from tasks.locks import Lock
from tasks.marks import check_not_bad, pardon
from tasks.model import Changes, Group
from tasks.overview import publish_changes
from tasks.recording import Recorder
from tasks.replacement import Order
from tasks.role_parts import ByLoadBalancer, ByQueue, ByRegistry
from tasks.roles import Role, check_strategy
from tasks.rollout import replace, replace_in_batches
from tasks.rollouts import Rollout, Strategy
from tasks.steps import step
from tasks.versions import check_made_of


def check_plan(role: Role, plan: Rollout) -> Rollout:
    """The plan itself. Raises UsageError when the role cannot be replaced like that."""
    try:
        check_strategy(role, plan.strategy)
    except ValueError as error:
        raise UsageError(str(error)) from None
    return plan


@step("is there a way back to {order.old.role} {order.old.id}", system="health")
def check_way_back(lock: Lock | None, order: Order, *, force: bool) -> None:
    """Before anything is made: see `check_order`. With `force` a version that failed before is forgiven."""
    if check_order(order, force=force):
        pardon(lock, order.new)


def check_order(order: Order, *, force: bool) -> str:
    """Whether the new version may be used, the old one could take over again, and there is room for both.

    Returns why the new version failed before, or empty. Raises UsageError, NotReady.
    """
    old, new, role = order.old, order.new, order.role
    check_made_of(new, order.release)
    bad = check_not_bad(new, "upgrade to it", force=force)
    group = find_group(old)
    health = find_health(group, role)
    if not health.healthy and not force and not isinstance(role.traffic, ByQueue):
        raise NotReady(f"{role.name} {old.id}, the way back,", (*health.problems, "upgrade anyway with --force"))
    there = tuple(each for each in find_groups(new.stack, role.name) if each.version == new)
    _check_addresses(group, there, order.plan)
    match role.traffic:
        case ByLoadBalancer() as kind:
            traffic.check_fits(traffic.find_rule(new.stack, role.name, kind), role.name, there)
        case ByRegistry() as kind:
            wanted = group.desired * role.members_per_machine
            members = tuple(registry.Member(url="", version=new.id) for _ in range(wanted))
            registry.check_room(new.stack, kind, f"{role.name} {new.id}", members)
    return bad


def _check_addresses(group: Group, there: tuple[Group, ...], plan: Rollout) -> None:
    role = group.version.role
    beside = group.desired - sum(len(each.machines) for each in there)
    more = {Strategy.rolling: plan.batch, Strategy.recreate: 0}.get(plan.strategy, beside)
    free = count_free_addresses(group)
    if more > free:
        raise UsageError(
            f"{role} {group.version.id} has {group.desired} machines and {more} more are needed beside them, but"
            f" its subnets have {free} free addresses; scale it in, or choose a larger network"
        )


def roll_out(order: Order, lock: Lock | None, recorder: Recorder) -> Changes:
    """Carry the order out; what a rollout that failed has changed is an artifact of the run.

    Raises what `tasks.rollout` does.
    """
    work: ByWeights | ByPointer | ByLiveKey | InBatches
    match order.role.traffic:
        case ByLoadBalancer() as kind:
            work = ByWeights(order, lock, recorder, kind)
        case ByRegistry() as kind:
            work = ByPointer(order, lock, recorder, kind)
        case ByQueue():
            work = ByLiveKey(order, lock, recorder)
        case _:
            kind_of_work = ByMember if order.role.name == CORE_SERVICES else InBatches
            work = kind_of_work(order, lock, recorder)
    try:
        if isinstance(work, InBatches):
            replace_in_batches(work, order.plan)
        else:
            replace(work, order.plan)
    except BaseException as error:
        if isinstance(error, RolledBack):
            tell_event(Event.VERSION_ROLLED_BACK, order.new, to=order.old.id, reason=error.reason)
        publish_changes(f"{order.new.stack}-{order.role.name}", work.changes)
        raise
    return work.changes
