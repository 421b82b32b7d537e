"""Grafana's dashboards of `roles/metrics/grafana` as data: what each panel asks of InfluxDB, and how it is shown."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from tasks.errors import RoleInvalid

FOLDER = Path(__file__).resolve().parents[2] / "roles" / "metrics" / "grafana" / "dashboards"

MOST_POINTS = 500
"""Of a series in one panel."""
INTERVALS = (10, 20, 30, 60, 120, 180, 300, 600, 900, 1800, 3600, 7200, 21600, 43200, 86400)
"""Seconds; agents write every ten."""

INFLUXDB = "influxdb"


@dataclass(frozen=True)
class Window:
    """What time a dashboard shows."""

    start: datetime
    end: datetime

    @property
    def interval(self) -> timedelta:
        """Between two points, so that a series has not too many."""
        finest = (self.end - self.start).total_seconds() / MOST_POINTS
        return timedelta(seconds=next((each for each in INTERVALS if each >= finest), INTERVALS[-1]))


@dataclass(frozen=True)
class Query:
    """An InfluxQL statement for `database`, with Grafana's variables in it; `alias` names its series."""

    database: str
    text: str
    alias: str

    def filled(self, stack: str, window: Window) -> str:
        """The statement with the variables' values, as Grafana would ask it.

        What is asked by interval ends with the last one that is over: half of one would look like a collapse.
        """
        seconds = round(window.interval.total_seconds())
        first, last = round(window.start.timestamp() * 1000), round(window.end.timestamp() * 1000)
        if "$__interval" in self.text:
            last -= last % (seconds * 1000)
        values = {
            "$timeFilter": f"time >= {first}ms AND time < {last}ms",
            "$__interval_ms": f"{seconds * 1000}",
            "$__interval": f"{seconds}s",
            "$stack": stack,
        }
        return re.sub(r"\$\w+", lambda found: values.get(found[0], found[0]), self.text)


@dataclass(frozen=True)
class Panel:
    """One picture. `settings` is all that the file says of it."""

    title: str
    kind: str
    queries: tuple[Query, ...]
    settings: dict[str, Any]

    @property
    def drawn(self) -> dict[str, Any]:
        """How it is drawn: Grafana's field options, with the ones of its time series as `custom`."""
        said: dict[str, Any] = self.settings.get("fieldConfig", {}).get("defaults", {})
        return {"custom": {}, "unit": "short"} | said

    def renamed(self, name: str) -> str:
        """The name of a series as the panel's transformations write it."""
        for each in self.settings.get("transformations", ()):
            if each["id"] == "renameByRegex":
                name = re.sub(each["options"]["regex"], _as_python(each["options"]["renamePattern"]), name)
        return name


@dataclass(frozen=True)
class Dashboard:
    """A page of panels that InfluxDB can fill; `marks` asks for what is drawn over all of them, at its time."""

    name: str
    title: str
    panels: tuple[Panel, ...]
    marks: Query
    variables: tuple[Query, ...]


def load_dashboards(folder: Path = FOLDER) -> tuple[Dashboard, ...]:
    """All dashboards of the folder, by name. Raises RoleInvalid for a file that is none, or that asks nothing."""
    return tuple(_load(file) for file in sorted(folder.glob("*.json")))


def _load(file: Path) -> Dashboard:
    try:
        content = json.loads(file.read_text())
        panels = tuple(_panel(each) for each in content["panels"] if each["datasource"]["type"] == INFLUXDB)
        (marks,) = content["annotations"]["list"]
        dashboard = Dashboard(
            file.stem,
            content["title"],
            panels,
            Query(marks["datasource"]["uid"], marks["target"]["query"], ""),
            tuple(Query(each["datasource"]["uid"], each["query"], "") for each in content["templating"]["list"]),
        )
    except (ValueError, KeyError, TypeError) as error:
        raise RoleInvalid(str(file), f"no dashboard with panels, annotations and variables: {error!r}") from error
    silent = [panel.title for panel in panels if not panel.queries]
    if silent or not panels:
        raise RoleInvalid(str(file), f"no queries in {', '.join(silent) or 'it'}: a panel must ask for something")
    return dashboard


def _panel(settings: dict[str, Any]) -> Panel:
    database = settings["datasource"]["uid"]
    queries = tuple(Query(database, each["query"], each.get("alias", "")) for each in settings["targets"])
    return Panel(settings["title"], settings["type"], queries, settings)


def _as_python(pattern: str) -> str:
    return re.sub(r"\$(\d)", r"\\\1", pattern)
