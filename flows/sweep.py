"""The sweep flow: versions that runs which died have left behind go."""

from datetime import timedelta

from prefect import flow

from tasks.locks import holding
from tasks.model import Changes, StackName
from tasks.orphans import find_orphans, remove_orphan
from tasks.overview import publish_changes
from tasks.parameters import Wait
from tasks.roles import load_role
from tasks.run_list import tag_run
from tasks.spelling import Duration

AN_HOUR = timedelta(hours=1)


@flow(name="sweep", flow_run_name="sweep {stack}", on_running=[tag_run])
def sweep(stack: StackName, after: Duration = AN_HOUR, wait: Wait = None) -> Changes:
    """Delete every version that never served and whose run has died or failed.

    Args:
        stack: the stack
        after: a run that holds no lock counts as dead when it has not ended for so long
        wait: how long to wait for another change of a role to end, as PT10M; without it this one is refused at once
    """
    changes: Changes = ()
    for name in sorted({orphan.version.role for orphan in find_orphans(stack, after)}):
        with holding(stack, name, "sweep", wait) as lock:
            for orphan in find_orphans(stack, after):  # once more: somebody may have finished it before we had the lock
                if orphan.version.role == name:
                    changes += remove_orphan(lock, orphan, load_role(name))
    publish_changes(stack, changes)
    return changes
