"""Pictures of dashboards, for where there is no Grafana: PNG, drawn with matplotlib."""

from __future__ import annotations

import io
import math
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from tasks.monitoring.dashboards import Window
from tasks.monitoring.readings import TABLE, Filled, Line, Page

# matplotlib takes most of a second to import, and only pictures need it.
# ruff: noqa: PLC0415

if TYPE_CHECKING:
    from matplotlib.axes import Axes

COLUMNS, WIDTH, HEIGHT, HEAD, FOOT, DPI = 2, 15.0, 3.4, 1.0, 0.9, 90
"""Panels in a row; the picture's width, a row's height, what is above and below all rows, in inches; dots per inch."""
COLOURS = ("#0072b2", "#d55e00", "#009e73", "#b0578d", "#e69f00", "#56b4e9", "#666666", "#a6761d")
MARKED, FAINT = "#7b3fb5", "#777777"
IN_LEGEND = 6
LETTERS = 112
"""Of a legend that fit below a panel."""
TABLE_ROWS = 10
NEAR = 0.1
"""The part of the time within which marks share one label: about as wide as that is."""
UNITS = {"percent": "%", "reqps": "requests/s", "cps": "per second", "Bps": "bytes/s", "short": ""}
"""Grafana's names of units, where they are not what people write."""


def draw(page: Page) -> bytes:
    """The page as a PNG: its panels, two in a row, each with a vertical line where something was deployed."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    rows = math.ceil(len(page.panels) / COLUMNS)
    height = HEAD + rows * HEIGHT
    figure = Figure(figsize=(WIDTH, height), dpi=DPI, facecolor="white")
    figure.subplots_adjust(0.055, FOOT / height, 0.985, 1 - HEAD / height, wspace=0.12, hspace=0.55)
    top = 1 - 0.35 / height
    period = f"{page.window.start.astimezone(UTC):%F %H:%M} to {page.window.end.astimezone(UTC):%F %H:%M} UTC"
    figure.text(0.02, top, f"{page.stack}: {page.dashboard.title}", fontsize=15, fontweight="bold", va="center")
    figure.text(0.985, top, period, fontsize=10, ha="right", va="center", color=FAINT)
    for number, filled in enumerate(page.panels, 1):
        axes = figure.add_subplot(rows, COLUMNS, number)
        unit = str(filled.panel.drawn["unit"])
        shown = UNITS.get(unit, unit)
        axes.set_title(filled.panel.title + (f" ({shown})" if shown else ""), fontsize=10, loc="left", y=1.07)
        _draw_panel(axes, filled, page)
    written = io.BytesIO()
    FigureCanvasAgg(figure).print_png(  # type: ignore[no-untyped-call]
        written, pil_kwargs={"compress_level": 1}
    )
    return written.getvalue()


def _draw_panel(axes: Axes, filled: Filled, page: Page) -> None:
    if not (filled.lines or filled.rows):
        axes.text(0.5, 0.5, "no data", transform=axes.transAxes, ha="center", va="center", color=FAINT, fontsize=13)
    if filled.panel.kind == TABLE:
        _draw_table(axes, filled)
        return
    _draw_lines(axes, filled, page.window)
    _draw_scales(axes, filled, page)
    _draw_marks(axes, page)


def _draw_lines(axes: Axes, filled: Filled, window: Window) -> None:
    """The largest first, in the legend too, which has only so many names."""
    style = filled.panel.drawn["custom"].get("drawStyle")
    lines = sorted(filled.lines, key=_largest, reverse=True)
    for number, line in enumerate(lines):
        label = line.name if number < IN_LEGEND else "_"
        look: Any = {"color": COLOURS[number % len(COLOURS)], "label": label}
        times: Any = line.times
        values = [math.nan if value is None else value for value in line.values]
        if style == "bars":  # from each time to the next one
            ends: Any = (*times, times[-1] + (times[1] - times[0]) if len(times) > 1 else window.end)
            axes.fill_between(ends, [*values, values[-1]], step="post", alpha=0.4, lw=1, **look)
        else:
            dots = style == "points" or len(values) == 1
            axes.plot(times, values, "o" if dots else "-", lw=1, ms=4, clip_on=not dots, **look)
    if lines:
        _draw_legend(axes, lines)


def _draw_legend(axes: Axes, lines: list[Line]) -> None:
    """Below the panel, in as many columns as the names leave room for."""
    longest = max(len(line.name) for line in lines[:IN_LEGEND])
    axes.legend(
        loc="upper left",
        bbox_to_anchor=(-0.02, -0.08),
        ncols=max(1, min(IN_LEGEND, LETTERS // (longest + 8))),
        fontsize=7,
        frameon=False,
        title=f"the largest {IN_LEGEND} of {len(lines)}" if len(lines) > IN_LEGEND else None,
        title_fontsize=7,
        alignment="left",
    )


def _largest(line: Line) -> float:
    return max(value for value in line.values if value is not None)


def _draw_scales(axes: Axes, filled: Filled, page: Page) -> None:
    from matplotlib import dates
    from matplotlib.ticker import EngFormatter

    places = dates.AutoDateLocator(minticks=3, maxticks=6, tz=UTC)  # type: ignore[no-untyped-call]
    axes.xaxis.set_major_locator(places)
    written = dates.ConciseDateFormatter(places, tz=UTC, show_offset=False)  # type: ignore[no-untyped-call]
    axes.xaxis.set_major_formatter(written)
    start, end = page.window.start, page.window.end
    axes.set_xlim(start, end)  # type: ignore[arg-type]  # times are numbers to it
    highest = max(map(_largest, filled.lines), default=0) * 1.08 or 1
    axes.set_ylim(filled.panel.drawn.get("min"), filled.panel.drawn.get("max", highest))
    if filled.panel.drawn["unit"] in ("bytes", "Bps"):
        axes.yaxis.set_major_formatter(EngFormatter())
    if not filled.lines:
        axes.set_yticks([])
    axes.locator_params(axis="y", nbins=5)
    axes.tick_params(labelsize=8, colors=FAINT)
    axes.grid(color="#e5e5e5", lw=0.6)
    axes.spines[["top", "right"]].set_visible(False)


def _draw_marks(axes: Axes, page: Page) -> None:
    for at, label in _labelled(page):
        moment: Any = at
        axes.axvline(moment, color=MARKED, lw=0.8, ls="--")
        axes.text(moment, 1.01, label, transform=axes.get_xaxis_transform(), color=MARKED, fontsize=6.5, ha="center")


def _labelled(page: Page) -> Iterator[tuple[datetime, str]]:
    """The marks, the earliest first; those close to one another have one label, which names them or their number."""
    near = (page.window.end - page.window.start) * NEAR
    marks = sorted(page.marks, key=lambda mark: mark.at)
    while marks:
        close = [mark for mark in marks if mark.at - marks[0].at < near]
        labels = {mark.label for mark in close}
        yield close[0].at, labels.pop() if len(labels) == 1 else f"{len(labels)} changes"
        yield from ((mark.at, "") for mark in close[1:])
        marks = marks[len(close) :]


def _draw_table(axes: Axes, filled: Filled) -> None:
    """The first rows as text: their time, and the first of their columns."""
    axes.axis("off")
    for number, (at, text, *_) in enumerate(filled.rows[:TABLE_ROWS]):
        height = 0.93 - number / TABLE_ROWS
        axes.text(0.0, height, f"{at:%m-%d %H:%M}", transform=axes.transAxes, fontsize=8, color=FAINT)
        axes.text(0.13, height, str(text)[:90], transform=axes.transAxes, fontsize=8)
