"""Points that wait until InfluxDB takes them."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence

LIMIT = 50_000
"""So many wait at most: of an idle machine those of some 15 hours, of one with 1,000 series those of 8 minutes."""
BATCH = 5_000
"""So many are written at once, as InfluxData advises."""


class Outbox:
    """The newest `LIMIT` lines. What had to be dropped for them is counted in `dropped`."""

    def __init__(self) -> None:
        self._lines: deque[str] = deque()
        self.dropped = 0

    def add(self, lines: Sequence[str]) -> None:
        """Put new lines behind all others."""
        self._lines.extend(lines)
        self._drop()

    def take(self) -> list[str]:
        """The oldest lines, at most `BATCH`; they are the caller's from now on."""
        return [self._lines.popleft() for _ in range(min(BATCH, len(self._lines)))]

    def put_back(self, lines: Sequence[str]) -> None:
        """Put what was taken before all others."""
        self._lines.extendleft(reversed(lines))
        self._drop()

    def _drop(self) -> None:
        while len(self._lines) > LIMIT:
            self._lines.popleft()
            self.dropped += 1
