"""The tear-down flow: a whole stack goes, its data stay."""

from functools import partial

from prefect import flow

from tasks.locks import check_unlocked
from tasks.model import Changes
from tasks.networks import find_networks
from tasks.overview import publish_changes
from tasks.role_parts import ByLoadBalancer
from tasks.roles import in_stages, load_role, role_names
from tasks.stacks import check_ours, delete_stack, find_stacks
from tasks.steps import in_parallel
from tasks.traffic import delete_rule


@flow(name="tear-down", flow_run_name="tear down {stack}")
def tear_down(stack: str) -> Changes:
    """Delete the stack: its rules, its versions, its base, and its network when no other stack lies in it.

    The buckets are kept, they hold data.

    Args:
        stack: the stack's name
    """
    base = check_ours(stack, "base")
    check_unlocked(stack)
    networks = find_networks(stack)
    roles = [load_role(name) for name in role_names()]

    balanced = [(role.name, role.traffic) for role in roles if isinstance(role.traffic, ByLoadBalancer)]
    changes: Changes = sum(in_parallel([partial(delete_rule, stack, *each) for each in balanced]), ())
    for stage in reversed(in_stages(roles)):
        names = [name for role in stage for name in find_stacks({"tyrell:stack": stack, "tyrell:role": role.name})]
        changes += sum(in_parallel([partial(delete_stack, name) for name in names]), ())
    changes += delete_stack(stack)
    for network in networks:
        if not find_stacks({"tyrell:kind": "base", "tyrell:network": network}):
            changes += delete_stack(network)

    kept = [base.outputs[name] for name in ("DeviceDataBucket", "UsageBucket") if base and name in base.outputs]
    changes += tuple(f"kept bucket {name}" for name in kept)
    publish_changes(stack, changes)
    return changes
