"""The prune flow: idle versions whose time is over go."""

from prefect import flow

from tasks.locks import holding
from tasks.model import Changes, StackName
from tasks.overview import publish_changes
from tasks.parameters import LinkRole, Wait
from tasks.retiring import retire_due
from tasks.roles import load_role, role_names
from tasks.run_list import tag_run


@flow(name="prune", flow_run_name="prune {stack}", on_running=[tag_run])
def prune(stack: StackName, roles: tuple[LinkRole, ...] = (), wait: Wait = None) -> Changes:
    """Stop or delete what is neither live, nor inside its rollback window, nor among the last versions to keep.

    Args:
        stack: the stack
        roles: only these roles; without them all
        wait: how long to wait for another change of a role to end, as PT10M; without it this one is refused at once
    """
    changes: Changes = ()
    for role in map(load_role, roles or role_names()):
        with holding(stack, role.name, "prune", wait) as lock:
            changes += retire_due(lock, stack, role)
    publish_changes(stack, changes)
    return changes
