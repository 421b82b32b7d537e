"""The report of a stack's metrics: every dashboard as a picture, and where the pictures go."""

from __future__ import annotations

import base64
from functools import partial
from pathlib import Path

from prefect.artifacts import create_image_artifact

from tasks.artifact_keys import What, artifact_key
from tasks.influxdb import InfluxAccess
from tasks.monitoring.access import find_reader
from tasks.monitoring.charts import draw
from tasks.monitoring.dashboards import Window, load_dashboards
from tasks.monitoring.readings import read_page
from tasks.steps import each_in_parallel, step

AT_ONCE = 3
"""Dashboards that InfluxDB is asked about at the same time."""


@step("draw the metrics of {stack}", system="metrics")
def draw_report(stack: str, window: Window) -> dict[str, bytes]:
    """A PNG of every dashboard by its name. Raises UsageError when the stack has no metrics."""
    return draw_dashboards(find_reader(stack), stack, window)


def draw_dashboards(access: InfluxAccess, stack: str, window: Window) -> dict[str, bytes]:
    """The same; InfluxDB is asked about some dashboards while others are drawn."""
    read = partial(read_page, access, stack=stack, window=window)
    pages = each_in_parallel(read, load_dashboards(), AT_ONCE)
    return dict(sorted((page.dashboard.name, draw(page)) for page in pages))


def publish_report(stack: str, pictures: dict[str, bytes]) -> None:
    """Keep each picture as an image artifact of the run."""
    for name, picture in pictures.items():
        image = f"data:image/png;base64,{base64.b64encode(picture).decode()}"
        key = artifact_key(What.METRICS, stack, name)
        create_image_artifact(image_url=image, key=key, description=f"{stack}: {name}")


def save_report(file: Path, pictures: dict[str, bytes]) -> tuple[Path, ...]:
    """Write each picture next to `file` as `<its name>-<dashboard>.png`. Returns the files."""
    return tuple(_save(file.with_name(f"{file.stem}-{name}.png"), picture) for name, picture in pictures.items())


def _save(file: Path, picture: bytes) -> Path:
    file.write_bytes(picture)
    return file
