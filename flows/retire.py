"""The retire flow: a version that serves nobody is deleted."""

from prefect import flow

from tasks.groups import find_group
from tasks.model import Changes, Version
from tasks.roles import ByLoadBalancer, load_role
from tasks.stacks import delete_stack
from tasks.traffic import remove_from_rule
from tasks.versions import check_idle


@flow(name="retire", flow_run_name="retire {version.role} {version.id} of {version.stack}")
def retire(version: Version) -> Changes:
    """Delete a version, with its machines, that gets no traffic. Returns what changed.

    Args:
        version: the stack, the role and the version that is to go
    """
    role = load_role(version.role)
    check_idle(version, role)
    changes: Changes = ()
    if isinstance(role.traffic, ByLoadBalancer):
        changes += remove_from_rule(find_group(version), role.traffic)
    return changes + delete_stack(version.stack_name)
