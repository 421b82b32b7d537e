"""What an upgrade did to traffic and capacity, as one picture: an SVG that is kept as an image artifact of the run."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from typing import Annotated, Any, NamedTuple

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from prefect.artifacts import create_image_artifact
from pydantic import AwareDatetime, Field

from tasks.model import Noun
from tasks.steps import step

Count = Annotated[int, Field(ge=0)]


class Share(Noun):
    """What one version has at a moment: members, and percent of its role's traffic."""

    healthy: Count
    desired: Count
    traffic: int = Field(ge=0, le=100)


class Moment(Noun):
    """All versions by id as they are after a step, until the next moment; one that does not exist is left out.

    A moment without a step, or with the step of the moment before, gets no label: it shows what changed meanwhile.
    """

    at: AwareDatetime
    step: str
    versions: dict[str, Share]


# Pixels, where nothing else is said.
LEFT, RIGHT = 64.0, 876.0
LABELS_TOP, LANE = 74.0, 19.0
PANEL, HEADROOM, GAP = 140.0, 16.0, 22.0
RAISE = 3.0
"""How much each version's lines lie above the last one's, so that equal values are all seen."""
LETTER = 6.8
"""The width of a letter of a label, on the safe side: nobody knows the font."""
COLOURS = ("#0072b2", "#d55e00", "#009e73", "#b0578d")
"""Colour-blind people tell them apart: blue, vermilion, green and purple of https://jfly.uni-koeln.de/color/."""
TAIL = 0.04
"""The part of the time for which the last values are drawn on."""
TICK_SECONDS = (1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 21600, 86400)
TICK_COUNTS = (1, 2, 5, 10, 20, 50, 100, 200, 500, 1000)


class Axis(NamedTuple):
    """Values from 0 to `high` on the pixels from `start` to `end`."""

    high: float
    start: float
    end: float

    def at(self, value: float) -> float:
        """The pixel of `value`."""
        return round(self.start + value / self.high * (self.end - self.start), 1)

    def ticks(self, steps: Sequence[int], most: int) -> range:
        """The multiples of the smallest of `steps` of which there are at most `most`."""
        return range(0, int(self.high) + 1, next((each for each in steps if self.high / each <= most), steps[-1]))


class Curve(NamedTuple):
    """One version: its shares, each with the pixels of time from and to which it holds, and how it is drawn."""

    version: str
    colour: str
    raised: float
    shares: tuple[tuple[float, float, Share], ...]

    def levels(self, quantity: str, axis: Axis) -> list[tuple[float, float, float]]:
        """Its level lines: from x, to x, at y. `quantity` is a field of Share."""
        return [(begin, end, axis.at(getattr(share, quantity)) - self.raised) for begin, end, share in self.shares]

    def path(self, quantity: str, axis: Axis) -> str:
        """Its level lines as one SVG path, joined where one begins at the end of the other."""
        words, drawn_to = [], -1.0
        for begin, end, y in self.levels(quantity, axis):
            words.append(f"V{y:g}H{end:g}" if begin == drawn_to else f"M{begin:g} {y:g}H{end:g}")
            drawn_to = end
        return "".join(words)


class Label(NamedTuple):
    """A step's name from pixel `x` on in a lane (0 is the lowest), and its hairline at pixel `at`."""

    at: float
    x: float
    lane: int
    text: str


def draw(title: str, moments: tuple[Moment, ...]) -> str:
    """An SVG, 900 pixels wide: each version's traffic over time, and below it its healthy and desired members.

    `moments` are in order of time. The picture has a background and needs no script, font or other file.
    Raises ValueError when there is no moment.
    """
    if not moments:
        raise ValueError(f"timeline {title!r} has no moments: give at least one")
    seconds = [(moment.at - moments[0].at).total_seconds() for moment in moments]
    time = Axis(max(seconds[-1], 1) * (1 + TAIL), LEFT, RIGHT)
    labels = _labels([(time.at(at), moment.step) for at, moment in zip(seconds, moments, strict=True)])
    top = LABELS_TOP + LANE * max((label.lane + 1 for label in labels), default=0)
    shares = [share for moment in moments for share in moment.versions.values()]
    most = max((max(share.healthy, share.desired) for share in shares), default=1)
    bottom = top + PANEL + GAP + PANEL
    return render(
        "timeline.svg.j2",
        title=title,
        start=moments[0].at,
        top=top,
        time=time,
        traffic=Axis(100, top + PANEL, top + HEADROOM),
        members=Axis(max(most, 1), bottom, bottom - PANEL + HEADROOM),
        labels=labels,
        curves=_curves(moments, [time.at(at) for at in (*seconds, time.high)]),
    )


def _labels(steps: list[tuple[float, str]]) -> list[Label]:
    """Labels that do not touch: from the last step back, each in a lane above all those that it would run into.

    So no hairline of a later step, which ends at its own label, goes through the name of an earlier one.
    """
    begins = [steps[0], *(after for before, after in pairwise(steps) if after[1] != before[1])]
    labels: list[Label] = []
    for at, text in reversed([each for each in begins if each[1]]):
        width = LETTER * len(text)
        x = min(at + 4, RIGHT - width)
        lane = max((label.lane + 1 for label in labels if label.x < x + width + 2 * LETTER), default=0)
        labels.append(Label(at, x, lane, text))
    return labels


def _curves(moments: tuple[Moment, ...], edges: list[float]) -> list[Curve]:
    """The versions in the order in which they appear; `edges` are the pixels of the moments and of the end."""
    curves = []
    for index, version in enumerate(dict.fromkeys(version for moment in moments for version in moment.versions)):
        held = zip(pairwise(edges), (moment.versions.get(version) for moment in moments), strict=True)
        shares = tuple((begin, end, share) for (begin, end), share in held if share)
        curves.append(Curve(version, COLOURS[index % len(COLOURS)], index * RAISE, shares))
    return curves


_templates = Environment(
    loader=FileSystemLoader(Path(__file__).parent),
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
    autoescape=True,
)
_templates.globals.update(LEFT=LEFT, RIGHT=RIGHT, LANE=LANE, TICK_SECONDS=TICK_SECONDS, TICK_COUNTS=TICK_COUNTS)


def render(template: str, **facts: Any) -> str:
    """A picture: the SVG template of that name, filled in with the facts."""
    return _templates.get_template(template).render(facts)


@step("timeline {key}", system="artifacts")
def publish_timeline(key: str, title: str, moments: tuple[Moment, ...]) -> None:
    """Keep the drawn `moments` as image artifact `key` (lower-case, dashes) of the run."""
    image = base64.b64encode(draw(title, moments).encode()).decode()
    create_image_artifact(image_url=f"data:image/svg+xml;base64,{image}", key=key, description=title)
