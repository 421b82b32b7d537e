"""What load balancers measured in the last hours, second by second; in memory, and bounded."""

from __future__ import annotations

import threading
from array import array
from collections import Counter, defaultdict, deque
from collections.abc import Mapping
from typing import NamedTuple

KEPT_SECONDS = 3 * 60 * 60


class Series(NamedTuple):
    """One metric of one load balancer, and of one target group unless it is the balancer's own.

    Both are named as dimensions name them: "app/name/id", "targetgroup/name/id".
    """

    metric: str
    balancer: str
    target_group: str | None


class _Second(NamedTuple):
    """Arrays: a dictionary of all the values of a busy second would need several times the memory."""

    second: int
    values: array[float]
    counts: array[int]

    @classmethod
    def of(cls, second: int, counts: Mapping[float, int]) -> _Second:
        return cls(second, array("d", counts.keys()), array("I", counts.values()))

    def as_counts(self) -> dict[float, int]:
        return dict(zip(self.values, self.counts, strict=True))


class History:
    """Samples of all series: how often each value was seen, by second (Unix time). Safe to use from any thread."""

    def __init__(self) -> None:
        self._seconds: defaultdict[Series, deque[_Second]] = defaultdict(deque)
        self._lock = threading.Lock()

    def add(self, series: Series, second: int, counts: Mapping[float, int]) -> None:
        """Add samples; those of a second may come in several parts."""
        with self._lock:
            seconds = self._seconds[series]
            if seconds and seconds[-1].second == second:
                counts = Counter(counts) + Counter(seconds.pop().as_counts())
            seconds.append(_Second.of(second, counts))

    def forget_before(self, oldest: int) -> None:
        """Drop all seconds before `oldest`, and series of which nothing is left."""
        with self._lock:
            for series, seconds in list(self._seconds.items()):
                while seconds and seconds[0].second < oldest:
                    seconds.popleft()
                if not seconds:
                    del self._seconds[series]

    def series(self) -> list[Series]:
        """All series that have samples."""
        with self._lock:
            return list(self._seconds)

    def pooled(self, wanted: Series, start: int, end: int, period: int) -> dict[int, Counter[float]]:
        """All samples from `start` up to, not including, `end`, pooled by the start of their period of `period` s.

        Periods are counted from `start`; one without samples is not there. `wanted` without a target group means
        the balancer as a whole: the samples of all its target groups.
        """
        periods: defaultdict[int, Counter[float]] = defaultdict(Counter)
        with self._lock:
            for series, seconds in self._seconds.items():
                if not _belongs(series, wanted):
                    continue
                for each in seconds:
                    if start <= each.second < end:
                        begin = each.second - (each.second - start) % period
                        periods[begin].update(each.as_counts())
        return dict(sorted(periods.items()))


def _belongs(series: Series, wanted: Series) -> bool:
    same_balancer = (series.metric, series.balancer) == (wanted.metric, wanted.balancer)
    return same_balancer and wanted.target_group in (None, series.target_group)
