"""A metrics stack at one moment: where it is, who writes to it, how old what they wrote is, and its newest backup."""

from __future__ import annotations

from datetime import UTC, datetime

from tasks.clients import http_status
from tasks.errors import TyrellError
from tasks.influxdb import query
from tasks.model import Noun
from tasks.monitoring.databases import METRICS
from tasks.monitoring.keeper import find_backups
from tasks.monitoring.stacks import PORT, find_attached, find_metrics
from tasks.monitoring.users import find_admin

RECENT = "10m"


class MetricsStatus(Noun):
    """What `tyrell metrics status` tells."""

    name: str
    url: str
    domain: str
    problem: str
    """Why InfluxDB does not serve; empty when it does."""
    attached: dict[str, float | None]
    """The stacks, each with the seconds since it wrote; None when that was not in the last minutes."""
    newest_backup: str
    release: str


def find_metrics_status(name: str) -> MetricsStatus:
    """The metrics stack as it is now; what cannot be asked is a problem, not an error. Raises NotFound."""
    found = find_metrics(name)
    url = f"http://{found.outputs['Host']}:{PORT}"
    stacks = find_attached(name)
    answer = http_status(f"{url}/ping")
    problem, ages = "" if answer == "204" else f"its ping says {answer}", dict.fromkeys(stacks)
    if not problem:
        try:
            ages = {stack: _age(name, stack) for stack in stacks}
        except TyrellError as error:
            problem = str(error)
    zone = found.outputs.get("Zone", "")
    return MetricsStatus(
        name=name,
        url=url,
        domain=f"{name}.{zone}" if zone else "",
        problem=problem,
        attached=ages,
        newest_backup=next(reversed(find_backups(name)), ""),
        release=found.parameters.get("Release", ""),
    )


def _age(metrics: str, stack: str) -> float | None:
    """Of the newest figure of any machine of the stack."""
    admin = find_admin(metrics)
    newest = query(
        admin,
        f"SELECT last(load1) FROM system WHERE link_stack = '{stack}' AND time > now() - {RECENT}",  # noqa: S608
        METRICS,
    )
    times = [row[series.columns.index("time")] for series in newest for row in series.rows]
    return max(0.0, datetime.now(UTC).timestamp() - max(times) / 1000) if times else None
