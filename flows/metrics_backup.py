"""The metrics-backup and metrics-restore flows."""

from prefect import flow

from flows.metrics_setup import fill_influxdb
from tasks.model import Changes, StackName
from tasks.monitoring import keeper
from tasks.monitoring.stacks import find_metrics
from tasks.run_list import tag_run


@flow(name="metrics-backup", flow_run_name="back up metrics {metrics}", on_running=[tag_run])
def back_up_metrics(metrics: StackName) -> Changes:
    """Put a backup of all metrics and all usage into the bucket of the metrics stack.

    Args:
        metrics: the metrics stack
    """
    return keeper.back_up(metrics, find_metrics(metrics).outputs["Host"])


@flow(name="metrics-restore", flow_run_name="restore metrics {metrics}", on_running=[tag_run])
def restore_metrics(metrics: StackName, backup: str = "") -> Changes:
    """Make the data what they were in a backup; what was written since is gone. One that is broken changes nothing.

    Args:
        metrics: the metrics stack
        backup: the key of the backup in its bucket; without it the newest one
    """
    made = find_metrics(metrics).outputs
    key = keeper.find_backup(metrics, backup)
    return keeper.restore(metrics, made["Host"], key) + fill_influxdb(metrics, made, int(made["KeepDays"]))
