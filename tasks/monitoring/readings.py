"""What InfluxDB answers to the queries of a dashboard: named lines over time, rows of a table, and marks."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from tasks.influxdb import InfluxAccess, Series, query
from tasks.monitoring.dashboards import Dashboard, Panel, Window

TABLE = "table"


@dataclass(frozen=True)
class Line:
    """A series of a panel; a value is None where there was nothing."""

    name: str
    times: tuple[datetime, ...]
    values: tuple[float | None, ...]


@dataclass(frozen=True)
class Mark:
    """Something that happened at a moment, such as `router v2`."""

    at: datetime
    label: str


@dataclass(frozen=True)
class Filled:
    """A panel with its data: `lines`, or for a table `rows`, each of them beginning with its time."""

    panel: Panel
    lines: tuple[Line, ...] = ()
    rows: tuple[tuple[Any, ...], ...] = ()


@dataclass(frozen=True)
class Page:
    """A dashboard of one stack with its data."""

    dashboard: Dashboard
    stack: str
    window: Window
    panels: tuple[Filled, ...]
    marks: tuple[Mark, ...]


def read_page(access: InfluxAccess, dashboard: Dashboard, stack: str, window: Window) -> Page:
    """Ask InfluxDB what every panel of the dashboard asks. Raises what `tasks.influxdb.query` does."""
    panels = tuple(_fill(access, panel, stack, window) for panel in dashboard.panels)
    found = query(access, dashboard.marks.filled(stack, window), dashboard.marks.database)
    marks = (
        Mark(_moment(row[0]), f"{values['role']} {values['version']}")
        for series in found
        for row in series.rows
        for values in [dict(zip(series.columns, row, strict=True))]
    )
    return Page(dashboard, stack, window, panels, tuple(marks))


def _fill(access: InfluxAccess, panel: Panel, stack: str, window: Window) -> Filled:
    lines: list[Line] = []
    for asked in panel.queries:
        found = query(access, asked.filled(stack, window), asked.database)
        if panel.kind == TABLE:
            rows = tuple((_moment(row[0]), *row[1:]) for series in found for row in series.rows)
            return Filled(panel, rows=rows)
        lines += (line for series in found for line in _lines(panel, asked.alias, series))
    return Filled(panel, tuple(lines))


def _lines(panel: Panel, alias: str, series: Series) -> Iterator[Line]:
    """One for each column but the time; nothing of those without any value."""
    times = tuple(_moment(row[0]) for row in series.rows)
    for at, column in enumerate(series.columns[1:], start=1):
        values = tuple(row[at] for row in series.rows)
        if any(value is not None for value in values):
            yield Line(panel.renamed(_named(alias, series, column)), times, values)


def _named(alias: str, series: Series, column: str) -> str:
    """https://grafana.com/docs/grafana/latest/datasources/influxdb/query-editor/#alias-patterns"""
    names = {"m": series.name, "col": column} | {f"tag_{tag}": value for tag, value in series.tags.items()}
    return re.sub(r"\$(\w+)", lambda found: names.get(found[1], found[0]), alias)


def _moment(milliseconds: int) -> datetime:
    return datetime.fromtimestamp(milliseconds / 1000, UTC)
