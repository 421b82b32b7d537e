"""What a load saw: every request, every gap in a WebSocket, and the figures made of them."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

SAMPLES = 5


class Request(NamedTuple):
    """One request. Times in seconds, moments as Unix time.

    `holder` is the tenant that the answering target is given to (None: it has not learnt it yet), `version` the
    target's, and `failure` why there was no answer with status 200.
    """

    at: float
    seconds: float
    tenant: str
    holder: str | None
    version: str
    failure: str

    @property
    def ended(self) -> float:
        """When the answer was there."""
        return self.at + self.seconds

    @property
    def wrong_tenant(self) -> bool:
        """Whether another tenant's target answered."""
        return self.holder not in {None, self.tenant}


class Gap(NamedTuple):
    """From the end of a WebSocket (or its last message, when it went silent) to its next message, and how it ended."""

    at: float
    seconds: float
    reason: str

    @property
    def ended(self) -> float:
        """When the next message came."""
        return self.at + self.seconds


class Span(NamedTuple):
    """How many requests a version answered, and when the first and the last of them were answered."""

    requests: int
    first: float
    last: float


@dataclass(frozen=True)
class Report:
    """The figures of some time; `broken` counts WebSocket messages that are no whole event."""

    requests: Sequence[Request]
    gaps: Sequence[Gap] = field(default=())
    broken: int = 0

    @property
    def failed(self) -> list[Request]:
        """Requests without an answer of status 200."""
        return [request for request in self.requests if request.failure]

    @property
    def wrong_tenant(self) -> list[Request]:
        """Requests that another tenant's target answered."""
        return [request for request in self.requests if request.wrong_tenant]

    @property
    def versions(self) -> dict[str, Span]:
        """Who answered, by the targets' version."""
        ended: dict[str, list[float]] = {}
        for request in self.requests:
            if not request.failure:
                ended.setdefault(request.version, []).append(request.ended)
        return {version: Span(len(times), min(times), max(times)) for version, times in ended.items()}

    def latency(self, percent: float) -> float:
        """Seconds within which `percent` of the requests were over; 0 without any."""
        taken = sorted(request.seconds for request in self.requests)
        return taken[min(len(taken) - 1, int(len(taken) * percent / 100))] if taken else 0.0

    @property
    def longest_gap(self) -> float:
        """Seconds that the unluckiest WebSocket waited for its next message; 0 when none ended."""
        return max((gap.seconds for gap in self.gaps), default=0.0)

    def __str__(self) -> str:
        """A line of figures, and samples of what failed."""
        p50, p95, p99 = (f"{self.latency(percent) * 1000:.0f}" for percent in (50, 95, 99))
        ends = ", ".join(f"{count} {reason}" for reason, count in Counter(gap.reason for gap in self.gaps).items())
        figures = (
            f"{len(self.requests)} requests, {len(self.failed)} failed, {len(self.wrong_tenant)} wrong tenant, "
            f"{p50}/{p95}/{p99} ms p50/p95/p99; WebSockets: {ends or 'none ended'}, "
            f"longest gap {self.longest_gap:.2f} s, {self.broken} broken messages"
        )
        samples = [f"  {_clock(request.at)} {request.tenant}: {request.failure}" for request in self.failed[:SAMPLES]]
        return "\n".join((figures, *samples))


def _clock(moment: float) -> str:
    return time.strftime("%H:%M:%S", time.localtime(moment)) + f".{int(moment % 1 * 1000):03}"
