"""The metrics-setup flow: a whole metrics stack, with nothing left to do by hand."""

from prefect import flow

from tasks.amis import find_release, find_without
from tasks.applying import apply_stack
from tasks.dns import find_zone, point_name
from tasks.model import Changes, Metrics
from tasks.monitoring.databases import create_databases
from tasks.monitoring.machine import await_influxdb, replace_outdated
from tasks.monitoring.stacks import GRAFANA_PORT, PORT, check_metrics, find_attached, find_metrics, metrics_blueprint
from tasks.monitoring.storage import create_backup_bucket, create_volume, find_storage
from tasks.monitoring.users import create_admin, create_grafana_admin, create_user, find_admin, reader, users_of


@flow(name="metrics-setup", flow_run_name="metrics {metrics.name}")
def set_up_metrics(metrics: Metrics, ami: str = "") -> Changes:
    """Volume, backup bucket, machine, databases, users: made, or brought up to date. Returns what changed.

    Args:
        metrics: the metrics stack
        ami: the machine image; without it the newest one of kind `metrics`
    """
    release = find_release(ami, kind="metrics")
    check_metrics(metrics)
    if metrics.zone:
        find_zone(metrics.zone)
    changes = create_volume(metrics) + create_backup_bucket(metrics.name)
    without = find_without(release.ami)
    changes += apply_stack(metrics_blueprint(metrics, release, find_storage(metrics), without))
    made = find_metrics(metrics.name).outputs
    changes += replace_outdated(made["Group"])
    await_influxdb(made["Host"], made["Group"], PORT)
    if metrics.zone:
        changes += point_name(metrics.zone, metrics.domain, made["Host"])
    changes += fill_influxdb(metrics.name, made["Host"], metrics.keep_days)
    if "grafana" not in without:
        changes += create_grafana_admin(metrics.name, f"http://{made['Host']}:{GRAFANA_PORT}")
    return changes


def fill_influxdb(name: str, host: str, keep_days: int) -> Changes:
    """Databases, continuous queries and users of InfluxDB as they are to be, also after its data were lost."""
    changes = create_admin(name, f"http://{host}:{PORT}")
    changes += create_databases(name, find_admin(name), keep_days)
    for user in (reader(name), *(user for stack in find_attached(name) for user in users_of(stack, name))):
        changes += create_user(name, user)
    return changes
