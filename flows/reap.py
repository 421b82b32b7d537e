"""The reap flow: runs whose process has died are shown as what they are."""

from datetime import timedelta

from prefect import flow

from tasks.dead_runs import crash_dead_runs
from tasks.model import Changes
from tasks.spelling import Duration

THREE_HEARTBEATS = timedelta(minutes=10)


@flow(name="reap", flow_run_name="reap")
def reap(after: Duration = THREE_HEARTBEATS) -> Changes:
    """Mark every run on the Prefect server as crashed whose process has died.

    Args:
        after: how old the last heartbeat of a run may be; more than three times PREFECT_FLOWS_HEARTBEAT_FREQUENCY
    """
    return crash_dead_runs(after)
