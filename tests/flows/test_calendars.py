"""A stack's calendar on a real Prefect server: as a file, and as people edit it by hand."""

from __future__ import annotations

import json
from pathlib import Path

import httpx
import pytest

from tests.flows.embedded import Tyrell

pytestmark = [pytest.mark.cloud, pytest.mark.flow]

OFFICE = {
    "timezone": "Europe/Berlin",
    "windows": [{"days": ["mon"], "from": "09:00:00", "until": "16:00:00"}],
    "freezes": [{"from": "2020-01-01T00:00:00", "until": None, "reason": "moving house"}],
    "holds": ["release"],
}


def test_a_calendar_is_set_shown_and_cleared(cloud: Tyrell, tmp_path: Path) -> None:
    file = tmp_path / "calendar.json"
    file.write_text(json.dumps(OFFICE))
    for _ in range(2):
        cloud.ok("calendar", "set", str(file), "far-away")
    assert cloud.json("calendar", "show", "far-away") == OFFICE
    assert "now     frozen until somebody ends it (moving house)" in cloud.ok("calendar", "show", "far-away")
    cloud.ok("calendar", "clear", "far-away")
    assert cloud.json("calendar", "show", "far-away") is None


def test_a_calendar_that_was_broken_by_hand_is_an_error_and_not_no_calendar(cloud: Tyrell) -> None:
    value = {"name": "tyrell_calendar_bent", "value": OFFICE | {"windows": [{"days": ["monday"]}]}}
    httpx.post(
        f"{cloud.cloud_environment['PREFECT_API_URL']}/variables/", json=value, trust_env=False
    ).raise_for_status()
    for command in (("calendar", "show", "bent"), ("scale", "router", "2", "--stack", "bent")):
        done = cloud.run(*command)
        assert done.returncode == 2
        assert (
            "the calendar of bent (Prefect variable tyrell_calendar_bent) is broken: windows.0.days.0: " in done.stderr
        )
