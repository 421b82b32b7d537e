"""The picture of a queue over time."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from xml.etree import ElementTree

import pytest

from tasks.depths import Depth, draw_depths
from tasks.timeline import GAP, HEADROOM, PANEL

BEGIN = datetime(2026, 11, 23, 10, tzinfo=UTC)
SVG = "{http://www.w3.org/2000/svg}"


def a_depth(seconds: float, waiting: int, in_flight: int = 0, working: int = 0) -> Depth:
    return Depth(at=BEGIN + timedelta(seconds=seconds), waiting=waiting, in_flight=in_flight, working=working)


def path(picture: str, name: str) -> str:
    (found,) = [each for each in ElementTree.fromstring(picture).iter(f"{SVG}path") if each.get("class") == name]  # noqa: S314
    return str(found.get("d"))


def test_a_queue_that_empties_goes_from_the_top_of_its_panel_to_its_bottom() -> None:
    picture = draw_depths("UsageQueue of demo", (a_depth(0, 1000), a_depth(50, 500, 20, 1), a_depth(100, 0)))
    top = 74 + HEADROOM
    bottom = 74 + PANEL
    first, *heights = [float(word.split("H")[0]) for word in path(picture, "waiting").replace(" ", "V").split("V")[1:]]
    assert [first, *heights] == [top, (top + bottom) / 2, bottom]
    assert f"V{bottom + GAP + HEADROOM:g}H" in path(picture, "working")


def test_the_texts_of_a_picture_are_no_markup() -> None:
    texts = [each.text for each in ElementTree.fromstring(draw_depths("<&>", (a_depth(0, 0),))).iter(f"{SVG}title")]  # noqa: S314
    assert texts == ["<&>"]


def test_a_picture_of_nothing_is_refused() -> None:
    with pytest.raises(ValueError, match="has no moments"):
        draw_depths("empty", ())
