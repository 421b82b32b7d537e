"""How deep a queue was and who worked on it over time, as one picture: an SVG, kept as an image artifact of the run."""

from __future__ import annotations

import base64
from itertools import pairwise

from prefect.artifacts import create_image_artifact
from pydantic import AwareDatetime

from tasks.model import Noun
from tasks.steps import step
from tasks.timeline import GAP, HEADROOM, LEFT, PANEL, RIGHT, TAIL, Axis, render

TOP = 74.0
TICK_DEPTHS = tuple(digit * 10**power for power in range(9) for digit in (1, 2, 5))
LINES = (
    ("waiting", "#d55e00", "messages"),
    ("in_flight", "#0072b2", "messages"),
    ("working", "#009e73", "workers"),
)
"""Fields of Depth, each with its colour (see `tasks.timeline`) and its panel."""


class Depth(Noun):
    """A queue and its workers at a moment, until the next one."""

    at: AwareDatetime
    waiting: int
    in_flight: int
    working: int


def draw_depths(title: str, depths: tuple[Depth, ...]) -> str:
    """An SVG, 900 pixels wide: messages over time, those waiting and those in flight, and below them the workers.

    `depths` are in order of time. Raises ValueError when there is none.
    """
    if not depths:
        raise ValueError(f"picture {title!r} has no moments: give at least one")
    seconds = [(depth.at - depths[0].at).total_seconds() for depth in depths]
    time = Axis(max(seconds[-1], 1) * (1 + TAIL), LEFT, RIGHT)
    edges = [time.at(second) for second in (*seconds, time.high)]
    deepest = max(max(depth.waiting, depth.in_flight) for depth in depths)
    bottom = TOP + PANEL + GAP + PANEL
    panels = {
        "messages": Axis(max(deepest, 1), TOP + PANEL, TOP + HEADROOM),
        "workers": Axis(max(*(depth.working for depth in depths), 1), bottom, bottom - PANEL + HEADROOM),
    }
    curves = [
        (field.replace("_", " "), colour, _path(depths, field, edges, panels[panel])) for field, colour, panel in LINES
    ]
    return render(
        "depths.svg.j2",
        title=title,
        start=depths[0].at,
        time=time,
        panels=panels,
        curves=curves,
        TICK_DEPTHS=TICK_DEPTHS,
    )


def _path(depths: tuple[Depth, ...], field: str, edges: list[float], axis: Axis) -> str:
    """Level lines as one SVG path."""
    levels = zip(pairwise(edges), (axis.at(getattr(depth, field)) for depth in depths), strict=True)
    (first, end), y = next(levels)
    return f"M{first:g} {y:g}H{end:g}" + "".join(f"V{y:g}H{end:g}" for (_, end), y in levels)


@step("picture {key}", system="artifacts")
def publish_depths(key: str, title: str, depths: tuple[Depth, ...]) -> None:
    """Keep the drawn `depths` as image artifact `key` (lower-case, dashes) of the run."""
    image = base64.b64encode(draw_depths(title, depths).encode()).decode()
    create_image_artifact(image_url=f"data:image/svg+xml;base64,{image}", key=key, description=title)
