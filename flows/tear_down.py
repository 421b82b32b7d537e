"""The tear-down flow: a whole stack goes; its data stay, unless the person says twice that they are to go, too."""

from functools import partial

from prefect import flow

from flows.metrics_attach import detach_metrics
from tasks.calendar_checks import check_calendar
from tasks.events import Event, tell_event
from tasks.locks import check_unlocked
from tasks.model import Changes, StackName
from tasks.networks import find_networks
from tasks.overview import publish_changes
from tasks.parameters import OptionalStack
from tasks.role_parts import ByLoadBalancer
from tasks.roles import in_stages, load_role, role_names
from tasks.run_list import tag_run
from tasks.stack_buckets import check_may_delete, find_buckets, part_with
from tasks.stacks import check_ours, delete_stack, find_stacks
from tasks.steps import in_parallel
from tasks.traffic import delete_rule


@flow(name="tear-down", flow_run_name="tear down {stack}", on_running=[tag_run])
def tear_down(
    stack: StackName, delete_data: bool = False, yes_delete_data: OptionalStack = "", override_calendar: str = ""
) -> Changes:
    """Delete the stack: its rules, its versions, its base, and its network when nothing else lies in it.

    Args:
        stack: the stack's name
        delete_data: also its own buckets; without this they are kept. Buckets that were given to it are always kept
        yes_delete_data: the stack's name once more, without which a bucket that holds data is not deleted
        override_calendar: why it goes on though the stack's calendar holds it; recorded
    """
    buckets = find_buckets(check_ours(stack, "base"))
    check_unlocked(stack)
    if delete_data:
        check_may_delete(stack, buckets, yes_delete_data)
    check_calendar(stack, "tear-down", override_calendar)
    networks = find_networks(stack)
    roles = [load_role(name) for name in role_names()]

    balanced = [(role.name, role.traffic) for role in roles if isinstance(role.traffic, ByLoadBalancer)]
    changes = detach_metrics(stack)
    changes += sum(in_parallel([partial(delete_rule, stack, *each) for each in balanced]), ())
    for stage in reversed(in_stages(roles)):
        names = [name for role in stage for name in find_stacks({"tyrell:stack": stack, "tyrell:role": role.name})]
        changes += sum(in_parallel([partial(delete_stack, name) for name in names]), ())
    changes += part_with(buckets, delete=delete_data, with_data=yes_delete_data == stack)  # the base tells which
    changes += delete_stack(stack)
    for network in networks:
        if set(find_stacks({"tyrell:network": network})) <= {network}:
            changes += delete_stack(network)

    publish_changes(stack, changes)
    tell_event(Event.STACK_DOWN, (stack,), changes=changes)
    return changes
