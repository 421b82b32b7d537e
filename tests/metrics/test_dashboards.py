"""What a dashboard asks of InfluxDB, and what its picture shows."""

from __future__ import annotations

import io
import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import numpy
import pytest
from PIL import Image

from tasks.influxdb import InfluxAccess, write
from tasks.monitoring.charts import draw
from tasks.monitoring.dashboards import MOST_POINTS, Dashboard, Panel, Query, Window, load_dashboards
from tasks.monitoring.readings import Filled, Mark, Page, read_page

NOON = datetime(2026, 1, 31, 12, tzinfo=UTC)
DAY = Window(NOON - timedelta(days=1), NOON)
PURPLE = (123, 63, 181)


def panel(text: str, alias: str = "", **settings: object) -> Panel:
    """A panel that asks one thing."""
    return Panel("Doors", "timeseries", (Query("telegraf", text, alias),), settings)


def page(*panels: Filled, marks: tuple[Mark, ...] = ()) -> Page:
    """A page of a day with these panels."""
    marked = Query("telegraf", "SELECT text FROM nothing", "")
    asked = tuple(each.panel for each in panels)
    return Page(Dashboard("doors", "Doors", asked, marked, ()), "demo", DAY, panels, marks)


@pytest.mark.parametrize(
    ("length", "seconds"),
    [(timedelta(minutes=5), 10), (timedelta(hours=24), 180), (timedelta(days=7), 1800), (timedelta(days=366), 86400)],
)
def test_the_longer_the_time_the_coarser_the_points_and_never_too_many(length: timedelta, seconds: int) -> None:
    window = Window(NOON - length, NOON)
    assert window.interval == timedelta(seconds=seconds)
    assert length / window.interval <= MOST_POINTS


def test_the_variables_of_a_query_are_filled_in_and_its_regular_expressions_left_alone() -> None:
    text = "SELECT a * 1000 / $__interval_ms FROM /^b$/ WHERE s = '$stack' AND $timeFilter GROUP BY time($__interval)"
    at = round(NOON.timestamp() * 1000)
    assert Query("telegraf", text, "").filled("demo", DAY) == (
        f"SELECT a * 1000 / 180000 FROM /^b$/ WHERE s = 'demo' AND time >= {at - 86_400_000}ms AND time < {at}ms"
        " GROUP BY time(180s)"
    )


def test_what_is_asked_by_interval_ends_with_the_last_whole_one() -> None:
    late = replace(DAY, end=NOON + timedelta(seconds=100))
    whole = round(NOON.timestamp() * 1000)
    assert f"time < {whole}ms" in Query("telegraf", "$timeFilter $__interval", "").filled("demo", late)
    assert f"time < {whole + 100_000}ms" in Query("telegraf", "$timeFilter", "").filled("demo", late)


@pytest.mark.influxdb
def test_lines_are_named_after_measurement_tags_and_the_panels_renaming(
    admin: InfluxAccess, writer: InfluxAccess
) -> None:
    at = round((NOON - timedelta(hours=1)).timestamp() * 10**9)
    write(writer, "telegraf", (f"doors_open_{house},house={house},way=in n=3 {at}" for house in ("a", "b")))
    asked = panel(
        "SELECT sum(n) FROM /^doors_open_.$/ WHERE $timeFilter GROUP BY time($__interval), way fill(none)",
        "$m $tag_way $col",
        transformations=[{"id": "renameByRegex", "options": {"regex": "^doors_open_", "renamePattern": "house "}}],
    )
    (filled,) = read_page(admin, page(Filled(asked)).dashboard, "demo", DAY).panels
    assert [(line.name, line.values) for line in filled.lines] == [("house a in sum", (3,)), ("house b in sum", (3,))]
    assert filled.lines[0].times == (NOON - timedelta(hours=1),)


@pytest.mark.influxdb
def test_a_stack_without_any_data_has_a_picture_all_the_same(admin: InfluxAccess) -> None:
    empty = read_page(admin, next(iter(load_dashboards())), "nobody", DAY)
    assert {filled.panel.kind for filled in empty.panels} == {"timeseries", "table"}
    assert not any(filled.lines or filled.rows for filled in empty.panels)
    assert size(draw(empty))[1] > 300


def size(picture: bytes) -> tuple[int, int]:
    """Of a PNG, in pixels."""
    return Image.open(io.BytesIO(picture)).size


def test_a_deployment_is_a_vertical_line_where_it_happened() -> None:
    empty = Filled(panel("SELECT"))
    mark = Mark(NOON - timedelta(hours=6), "router v2")
    assert purple_columns(draw(page(empty))) == []
    columns = purple_columns(draw(page(empty, marks=(mark,))))
    left, right = 0.055 * 1350, (0.055 + 0.93 / 2.12) * 1350  # the only panel is the left one of two
    expected = left + 0.75 * (right - left)
    assert columns
    assert all(abs(column - expected) < 40 for column in columns)  # its label is about as wide


def purple_columns(picture: bytes) -> list[int]:
    """The pixel columns in which there is something of the colour of marks."""
    pixels = numpy.asarray(Image.open(io.BytesIO(picture)).convert("RGB"))
    columns: list[int] = (pixels == PURPLE).all(axis=2).any(axis=0).nonzero()[0].tolist()
    return columns


def test_panels_of_a_dashboard_ask_for_their_own_stack_and_time_only() -> None:
    for dashboard in load_dashboards():
        for asked in (asked for each in dashboard.panels for asked in each.queries):
            assert "\"link_stack\" = '$stack' AND $timeFilter" in asked.text, f"{dashboard.name}: {asked.text}"
            assert re.search(r"GROUP BY time|LIMIT \d+$", asked.text), f"{dashboard.name}: {asked.text}"
