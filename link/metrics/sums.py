"""Statsd datagrams added up to points, as Telegraf's statsd input adds them up.

https://github.com/influxdata/telegraf/blob/master/plugins/inputs/statsd/README.md, with its defaults (everything begins
anew with each interval, gauges too), the separator `_` and the percentile 90. Of its types those that Link services
use: counters, gauges and timings.
"""

from __future__ import annotations

import math
from collections import deque
from functools import lru_cache

from link.metrics.points import Point

PERCENTILE_OF = 1_000
"""The percentile is that of so many values at most, the last ones of the interval."""
LARGEST = 2.0**63

Series = tuple[str, tuple[tuple[str, str], ...]]


class NoMetric(ValueError):
    """The text is no metric that could be added up."""


class Timing:
    """A summary of values."""

    def __init__(self) -> None:
        self._count = 0
        self._sum = self._squares = 0.0
        self._lower, self._upper = math.inf, -math.inf
        self._last: deque[float] = deque(maxlen=PERCENTILE_OF)

    def add(self, value: float, times: int) -> None:
        """Add a value that was seen that many times."""
        self._count += times
        self._sum += value * times
        self._squares += value * value * times
        self._lower, self._upper = min(self._lower, value), max(self._upper, value)
        self._last.extend([value] * min(times, PERCENTILE_OF))

    @property
    def fields(self) -> dict[str, int | float]:
        """Telegraf's fields of it."""
        mean = self._sum / self._count
        ordered = sorted(self._last)
        return {
            "count": self._count,
            "lower": self._lower,
            "mean": mean,
            "stddev": math.sqrt(max(0.0, self._squares / self._count - mean * mean)),
            "sum": self._sum,
            "upper": self._upper,
            "90_percentile": ordered[len(ordered) * 9 // 10],
        }


class Sums:
    """What was told since the last `take`, by series."""

    def __init__(self) -> None:
        self._counters: dict[Series, int] = {}
        self._gauges: dict[Series, float] = {}
        self._timings: dict[Series, Timing] = {}

    def add(self, line: str) -> None:
        """Add `name,tag=value:1|c`, or several values of one name (`...:1|c:2|c`). Raises NoMetric."""
        bucket, *values = line.split(":")
        if not (bucket and values):
            raise NoMetric(line)
        for text in values:
            self._add(_series(bucket), *text.split("|"))

    def take(self) -> list[Point]:
        """Everything, and begin anew."""
        points = [_point(series, "counter", {"value": value}) for series, value in self._counters.items()]
        points += [_point(series, "gauge", {"value": value}) for series, value in self._gauges.items()]
        points += [_point(series, "timing", timing.fields) for series, timing in self._timings.items()]
        for told in (self._counters, self._gauges, self._timings):
            told.clear()
        return points

    def _add(self, series: Series, text: str, kind: str = "", sampled: str = "@1", *_more: str) -> None:
        value, rate = _number(text), _number(sampled.removeprefix("@"))
        if not 0 < rate <= 1:
            raise NoMetric(sampled)
        match kind:
            case "c":
                self._counters[series] = self._counters.get(series, 0) + int(value / rate)
            case "g":
                added = self._gauges.get(series, 0.0) if text[0] in "+-" else 0.0
                self._gauges[series] = added + value
            case "ms":
                self._timings.setdefault(series, Timing()).add(value, int(1 / rate))
            case _:
                raise NoMetric(kind)


@lru_cache(maxsize=10_000)
def _series(bucket: str) -> Series:
    """Name and tags, the same however a client writes them; a tag without a value is none."""
    name, *tags = bucket.split(",")
    pairs = dict(tag.partition("=")[::2] for tag in tags)
    return name.replace(".", "_"), tuple(sorted((tag, value) for tag, value in pairs.items() if tag and value))


def _number(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        raise NoMetric(text) from None
    if not -LARGEST < value < LARGEST:  # neither is what is no number
        raise NoMetric(text)
    return value


def _point(series: Series, kind: str, fields: dict[str, int | float]) -> Point:
    name, tags = series
    return Point(name, {**dict(tags), "metric_type": kind}, fields)
