"""The pause-workers flow: no worker is started, or workers may be started again."""

from prefect import flow

from tasks.live_keys import pause_role, resume_role
from tasks.locks import holding
from tasks.model import Changes, StackName
from tasks.parameters import Wait, WorkerRole
from tasks.run_list import tag_run
from tasks.workers import worker_roles


@flow(name="pause-workers", flow_run_name="{stack}: workers paused {paused}", on_running=[tag_run])
def pause_workers(
    stack: StackName,
    paused: bool = True,
    roles: tuple[WorkerRole, ...] = (),
    reason: str = "",
    wait: Wait = None,
) -> Changes:
    """Keep workers from being started, or allow it again. Who works already goes on until he is done.

    Args:
        stack: the stack
        paused: whether they are to be paused
        roles: only the workers of these roles; without them all
        reason: why, for those who later want to know
        wait: how long to wait for another change of a role to end, as PT10M; without it this one is refused at once
    """
    changes: Changes = ()
    for role in worker_roles(roles):
        with holding(stack, role.name, "pause" if paused else "resume", wait) as lock:
            changes += pause_role(lock, stack, role.name, reason) if paused else resume_role(lock, stack, role.name)
    return changes
