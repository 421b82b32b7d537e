"""What a proxy measures, kept until the engine takes it: how often each value was seen in each second."""

from __future__ import annotations

import math
import time
from collections import Counter, defaultdict

from tyrell.local.balancers.config import Samples, SampleSet

_STEP = 1.04
"""Between two neighbouring durations that are told apart: what is read is within 2 % of what was measured."""

_SHORTEST = 1e-6


class Recorder:
    """Samples by second, metric and target group. A count of events is a sample of 1 for each, as on AWS."""

    def __init__(self) -> None:
        self._seen: defaultdict[tuple[int, str, str | None], Counter[float]] = defaultdict(Counter)

    def add(self, metric: str, value: float = 1, target_group: str | None = None) -> None:
        """Add a sample of this moment; `target_group` is an ARN, None when the metric is the balancer's own."""
        self._seen[int(time.time()), metric, target_group][value] += 1

    def take(self) -> Samples:
        """All samples since the last call."""
        seen, self._seen = self._seen, defaultdict(Counter)
        return Samples(
            sets=tuple(
                SampleSet(second=second, metric=metric, target_group=target_group, counts=dict(counts))
                for (second, metric, target_group), counts in seen.items()
            )
        )


def rounded(seconds: float) -> float:
    """The duration that stands for `seconds`: a second at work has some dozens of them, not one per request."""
    return float(_STEP ** round(math.log(max(seconds, _SHORTEST), _STEP)))
