"""The base-stack flow: everything of a stack that outlives releases."""

from prefect import flow

from tasks.model import Changes, Stack
from tasks.stacks import apply_stack
from tasks.templates import base_template


@flow(name="base-stack", flow_run_name="base stack {stack.name}")
def create_base_stack(stack: Stack) -> Changes:
    """Create the stack's base (balancers, queues, buckets, security groups, roles), or bring it up to date.

    Args:
        stack: its name, its network and the port its balancers listen on
    """
    tags = {"tyrell:kind": "base", "tyrell:stack": stack.name, "tyrell:network": stack.network}
    return apply_stack(stack.name, base_template(stack), {}, tags).changes
