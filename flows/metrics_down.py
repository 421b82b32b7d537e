"""The metrics-down flow: a metrics stack goes; its data stay, unless the person says twice that they are to go, too."""

from prefect import flow

from tasks.buckets import delete_bucket
from tasks.dns import remove_name
from tasks.errors import UsageError
from tasks.model import Changes, StackName
from tasks.monitoring.stacks import find_attached
from tasks.monitoring.storage import backup_bucket, delete_volume
from tasks.monitoring.users import delete_secrets
from tasks.parameters import OptionalStack
from tasks.run_list import tag_run
from tasks.stacks import check_ours, delete_stack


@flow(name="metrics-down", flow_run_name="tear down metrics {metrics}", on_running=[tag_run])
def tear_down_metrics(metrics: StackName, delete_data: bool = False, yes_delete_data: OptionalStack = "") -> Changes:
    """Delete the metrics stack. Its volume and its backups stay, and the next one of that name has them again.

    Args:
        metrics: the metrics stack
        delete_data: also its volume, its backups and its secrets
        yes_delete_data: its name once more, without which no data are deleted
    """
    found = check_ours(metrics, "metrics")
    if attached := find_attached(metrics):
        raise UsageError(
            f"stack {', '.join(attached)} writes to metrics stack {metrics};"
            f" `tyrell metrics detach {attached[0]}` first"
        )
    if delete_data and yes_delete_data != metrics:
        raise UsageError(f"deleting all data of {metrics} is to be said twice: --yes-delete-data {metrics}")
    changes: Changes = ()
    if found and (zone := found.outputs.get("Zone")):
        changes += remove_name(zone, f"{metrics}.{zone.rstrip('.')}")
    changes += delete_stack(metrics)
    if delete_data:
        changes += delete_volume(metrics) + delete_bucket(backup_bucket(metrics), with_data=True)
        changes += delete_secrets(metrics)
    return changes
