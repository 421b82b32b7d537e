"""The base-stack flow: everything of a stack that outlives releases."""

from prefect import flow

from tasks.model import Changes, Stack
from tasks.registry_api import check_registry_api
from tasks.stack_buckets import check_buckets
from tasks.stacks import apply_stack
from tasks.templates import base_template


@flow(name="base-stack", flow_run_name="base stack {stack.name}")
def create_base_stack(stack: Stack) -> Changes:
    """Create the stack's base (balancers, queues, buckets, security groups, roles), or bring it up to date.

    Args:
        stack: its name, its network, the port its balancers listen on, the API of its service registry, and the
            buckets it is given, where it is not to have its own
    """
    check_registry_api(stack)
    check_buckets(stack)
    tags = {"tyrell:kind": "base", "tyrell:stack": stack.name, "tyrell:network": stack.network}
    return apply_stack(stack.name, base_template(stack), {}, tags).changes
