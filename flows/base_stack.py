"""The base-stack flow: everything of a stack that outlives releases."""

from prefect import flow

from tasks.model import Changes, Stack
from tasks.registry_api import check_registry_api
from tasks.stacks import apply_stack
from tasks.templates import base_template


@flow(name="base-stack", flow_run_name="base stack {stack.name}")
def create_base_stack(stack: Stack) -> Changes:
    """Create the stack's base (balancers, queues, buckets, security groups, roles), or bring it up to date.

    Args:
        stack: its name, its network, the port its balancers listen on, and the API of its service registry
    """
    check_registry_api(stack)
    tags = {"tyrell:kind": "base", "tyrell:stack": stack.name, "tyrell:network": stack.network}
    return apply_stack(stack.name, base_template(stack), {}, tags).changes
