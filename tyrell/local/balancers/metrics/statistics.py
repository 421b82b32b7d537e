"""CloudWatch's statistics of pooled samples, given as the number of times each value was seen.

https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/Statistics-definitions.html
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from functools import partial

Counts = Mapping[float, int]

_PERCENTILE = re.compile(r"p(\d{1,3}(?:\.\d{1,10})?)")


def statistic(name: str) -> Callable[[Counts], float]:
    """The function for a statistic such as "Sum", "Average" or "p99.9"; ValueError when there is none here."""
    if name in _STATISTICS:
        return _STATISTICS[name]
    percent = _PERCENTILE.fullmatch(name)
    if percent is None or float(percent[1]) > 100:
        known = ", ".join(_STATISTICS)
        raise ValueError(f"Statistic '{name}' is not supported by the embedded cloud: use {known} or p0 to p100")
    return partial(_percentile, percent=float(percent[1]))


def _total(counts: Counts) -> float:
    return sum(value * count for value, count in counts.items())


def _sample_count(counts: Counts) -> float:
    return sum(counts.values())


def _average(counts: Counts) -> float:
    return _total(counts) / _sample_count(counts)


def _percentile(counts: Counts, percent: float) -> float:
    """The smallest value that `percent` of the samples do not exceed."""
    rank = math.ceil(round(sum(counts.values()) * percent / 100, 9))  # 99.9 % of 1000 is 999, not a hair more
    for value in sorted(counts):
        rank -= counts[value]
        if rank <= 0:
            return value
    raise ValueError("there are no samples to take a percentile of")


_STATISTICS: dict[str, Callable[[Counts], float]] = {
    "SampleCount": _sample_count,
    "Sum": _total,
    "Average": _average,
    "Minimum": min,
    "Maximum": max,
}
