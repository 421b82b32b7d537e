"""The base-stack flow: everything of a stack that outlives releases."""

from prefect import flow

from tasks.applying import apply_stack
from tasks.bases import base_blueprint, check_base
from tasks.model import Changes, Stack
from tasks.run_list import tag_run


@flow(name="base-stack", flow_run_name="base stack {stack.name}", on_running=[tag_run])
def create_base_stack(stack: Stack) -> Changes:
    """Create the stack's base (balancers, queues, buckets, security groups, roles), or bring it up to date.

    Args:
        stack: its name, its network, the port its balancers listen on, the API of its service registry, and the
            buckets it is given, where it is not to have its own
    """
    check_base(stack)
    return apply_stack(base_blueprint(stack))
