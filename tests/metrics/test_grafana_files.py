"""Grafana can read the files it is provisioned with, and no secret is in them."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from tasks.monitoring.dashboards import FOLDER
from tests.metrics.grafana_schema import NotToBeHad, complaints, fetch

PROVISIONING = FOLDER.parent / "provisioning"
FILES = sorted(FOLDER.glob("*.json"))


def read(file: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(file.read_text())
    return found


WRONG: dict[str, tuple[tuple[str | int, ...], Any, str]] = {
    "a panel of no kind": (("panels", 0, "type"), "timeserie", "timeserie"),
    "an unknown key": (("panels", 0, "titel"), "x", "titel"),
    "a number as text": (("panels", 0, "gridPos", "w"), "12", "number"),
    "no such way to draw": (("panels", 0, "fieldConfig", "defaults", "custom", "drawStyle"), "curve", "curve"),
    "no such legend": (("panels", 0, "options", "legend", "displayMode"), "tree", "tree"),
    "an unknown option": (("panels", 0, "options", "legends"), {}, "legends"),
    "a query that is no text": (("panels", 0, "targets", 0, "query"), 1, "string"),
    "an annotation without text": (("annotations", "list", 0, "target"), {"refId": "A"}, "textColumn"),
    "a variable of no type": (("templating", "list", 0, "type"), "querry", "querry"),
    "an unknown key of the page": (("panel",), [], "panel"),
}


def damaged(path: tuple[str | int, ...], value: Any) -> object:
    """The dashboard of the routers with another value at the path."""
    dashboard: Any = read(FOLDER / "routers.json")
    inner = dashboard
    for step in path[:-1]:
        inner = inner[step]
    inner[path[-1]] = value
    return dashboard


@pytest.fixture(scope="module")
def said() -> dict[str, str]:
    """What Grafana's schema has against each of our dashboards, and against the wrong ones."""
    try:
        fetch()
    except NotToBeHad as error:
        pytest.skip(f"no Grafana schema: {error}")
    ours = {file.stem: read(file) for file in FILES}
    return complaints(ours | {name: damaged(path, value) for name, (path, value, _) in WRONG.items()})


@pytest.mark.grafana
@pytest.mark.parametrize("name", [file.stem for file in FILES])
def test_a_dashboard_is_what_grafanas_schema_says(name: str, said: dict[str, str]) -> None:
    assert said[name] == ""


@pytest.mark.grafana
@pytest.mark.parametrize("wrong", WRONG)
def test_grafanas_schema_refuses(wrong: str, said: dict[str, str]) -> None:
    _, _, named = WRONG[wrong]
    assert named in said[wrong]


def test_every_panel_asks_a_data_source_that_is_provisioned() -> None:
    sources = yaml.safe_load((PROVISIONING / "datasources" / "tyrell.yaml").read_text())["datasources"]
    known = {(source["type"], source["uid"]) for source in sources}
    for file in FILES:
        content = read(file)
        asking = [*content["panels"], *content["annotations"]["list"], *content["templating"]["list"]]
        assert {(each["datasource"]["type"], each["datasource"]["uid"]) for each in asking} <= known


def test_the_data_sources_have_their_password_from_the_environment() -> None:
    sources = yaml.safe_load((PROVISIONING / "datasources" / "tyrell.yaml").read_text())["datasources"]
    secured = [source["secureJsonData"]["password"] for source in sources if source["type"] == "influxdb"]
    assert len(secured) == 2
    assert all(re.fullmatch(r"\$__env\{\w+\}", password) for password in secured)


def test_panels_of_a_dashboard_do_not_overlap_and_have_their_own_numbers() -> None:
    for file in FILES:
        panels = read(file)["panels"]
        taken = [
            (x, y)
            for place in (panel["gridPos"] for panel in panels)
            for x in range(place["x"], place["x"] + place["w"])
            for y in range(place["y"], place["y"] + place["h"])
        ]
        assert len(taken) == len(set(taken))
        assert max(x for x, _ in taken) < 24
        assert len({panel["id"] for panel in panels}) == len(panels)
