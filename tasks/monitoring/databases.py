"""InfluxDB: the databases of a metrics stack, how long they keep, and the sums that are the tenants' usage."""

from __future__ import annotations

import os

from tasks.influxdb import InfluxAccess, query
from tasks.model import Changes
from tasks.steps import step

METRICS, USAGE = "telegraf", "linkusage"
SUMS = ("hub_http_count", "hub_messages_bytes", "hub_messages_count")
"""Measurements of `linkusage`; each has the sums of what Link's targets write into `telegraf` as `linkusage_...`."""

USAGE_EVERY = "TYRELL_USAGE_EVERY"
"""Environment variable: how often the day's sums of usage are made anew, an InfluxQL duration; 30m by default."""


def sum_name(measurement: str) -> str:
    """The name of its continuous query."""
    return f"cq.linkusage.{measurement}.sum"


def sum_query(measurement: str) -> str:
    """The continuous query that sums a measurement up by day, tenant and target.

    Without RESAMPLE a day would be summed up at its end, and by then forgotten for what comes late.
    https://docs.influxdata.com/influxdb/v1/query_language/continuous_queries/#advanced-syntax
    """
    every = os.environ.get(USAGE_EVERY, "30m")
    return (
        f'CREATE CONTINUOUS QUERY "{sum_name(measurement)}" ON {METRICS} RESAMPLE EVERY {every} FOR 2d BEGIN '  # noqa: S608
        f'SELECT sum(value) AS total INTO {USAGE}."default"."{measurement}" FROM "linkusage_{measurement}" '
        'GROUP BY "link_stack", "tenantId", "targetName", time(1d) fill(0) END'
    )


@step("databases of {metrics}", system="influxdb")
def create_databases(metrics: str, access: InfluxAccess, keep_days: int) -> Changes:  # noqa: ARG001  names the step
    """Create what is missing of databases and continuous queries; `keep_days` is how long `telegraf` keeps.

    Usage is kept for ever. Raises InfluxUnreachable, InfluxDenied, InfluxRefused.
    """
    changes: Changes = ()
    there = {row[0] for series in query(access, "SHOW DATABASES") for row in series.rows}
    for name in (METRICS, USAGE):
        if name not in there:
            query(access, f'CREATE DATABASE {name} WITH NAME "default"')
            changes += (f"created database {name}",)
    changes += _keep(access, keep_days)
    sums = {row[0] for series in query(access, "SHOW CONTINUOUS QUERIES") for row in series.rows}
    for measurement in SUMS:
        if sum_name(measurement) not in sums:
            query(access, sum_query(measurement))
            changes += (f"created continuous query {sum_name(measurement)}",)
    return changes


def _keep(access: InfluxAccess, days: int) -> Changes:
    (policies,) = query(access, f"SHOW RETENTION POLICIES ON {METRICS}")
    durations = {row[policies.columns.index("name")]: row[policies.columns.index("duration")] for row in policies.rows}
    if durations.get("default") == f"{days * 24}h0m0s":
        return ()
    query(access, f'ALTER RETENTION POLICY "default" ON {METRICS} DURATION {days}d')
    return (f"database {METRICS} keeps for {days} days",)
