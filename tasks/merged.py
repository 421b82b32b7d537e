"""A merge of two buckets, and what came of it. Imports neither boto3 nor Prefect."""

from __future__ import annotations

from collections import Counter
from enum import StrEnum

from pydantic import Field

from tasks.model import Noun

MIB, GIB = 1024**2, 1024**3
NAMED = 1000
"""How many of the objects that were left are named; more are only counted."""


class Merge(Noun):
    """All objects of the bucket `old` are to be in the bucket `new`, under the same keys."""

    old: str
    new: str
    keep: bool = False
    """The objects stay in `old` as well."""
    dry_run: bool = False
    """Only look."""
    parallel: int = Field(default=32, ge=1, le=128)
    part_size: int = Field(default=5 * GIB, ge=5 * MIB, le=5 * GIB)
    """Bytes; larger objects are copied in parts of that size. S3 copies at most 5 GiB at once, and takes no smaller
    parts than 5 MiB: https://docs.aws.amazon.com/AmazonS3/latest/userguide/qfacts.html"""


class Fate(StrEnum):
    """What became of one object."""

    COPIED = "copied"
    FOUND = "found"
    """The same content was there already, as an earlier run leaves it when it is killed."""
    GONE = "gone"
    """Somebody else deleted it meanwhile."""
    LEFT = "left"
    """It is where it was; the reason is told."""


class Outcome(Noun):
    """What became of one object."""

    key: str
    size: int
    fate: Fate
    why: str = ""
    hidden: bool = False
    """The old bucket is versioned: deleting the object has only hidden it there."""


class Merged(Noun):
    """What came of a merge, or would come of it."""

    merge: Merge
    counts: dict[Fate, int]
    copied_bytes: int
    hidden: int
    problems: tuple[Outcome, ...]
    """The objects that were left, `NAMED` at most."""

    @property
    def left(self) -> int:
        """How many objects could not be merged."""
        return self.counts[Fate.LEFT]

    def told(self) -> tuple[str, ...]:
        """The summary, a sentence each: what was done, and what every object that was left needs."""
        from_to = f"from {self.merge.old} to {self.merge.new}"
        lines = [f"{self._verb} {_objects(self.counts[Fate.COPIED])} ({_size(self.copied_bytes)}) {from_to}"]
        if found := self.counts[Fate.FOUND]:
            lines.append(f"{_objects(found)} had been copied before")
        if gone := self.counts[Fate.GONE]:
            lines.append(f"{_objects(gone)} had been deleted by somebody else meanwhile")
        if self.hidden:
            lines.append(f"{self.merge.old} is versioned: it still keeps the versions of {_objects(self.hidden)}")
        leaving = "would leave" if self.merge.dry_run else "left"
        lines += [f"{leaving} {each.key!r}: {each.why}" for each in self.problems]
        if (more := self.left - len(self.problems)) > 0:
            lines.append(f"{leaving} {_objects(more)} more")
        return tuple(lines)

    @property
    def _verb(self) -> str:
        if self.merge.dry_run:
            return "would copy" if self.merge.keep else "would move"
        return "copied" if self.merge.keep else "moved"

    def __str__(self) -> str:
        """The first objects that were left, in one line."""
        if not self.left:
            return f"no object of bucket {self.merge.old} is left behind"
        named = [f"{each.key!r}: {each.why}" for each in self.problems[:3]]
        more = [f"{self.left - len(named):,} more"] if self.left > len(named) else []
        all_ = sum(self.counts.values())
        return f"{self.left:,} of {_objects(all_)} of bucket {self.merge.old} are left: {'; '.join(named + more)}"


class Tally:
    """Counts outcomes as they come. Used by one thread."""

    def __init__(self, merge: Merge) -> None:
        self._merge = merge
        self._counts: Counter[Fate] = Counter()
        self._bytes = self._hidden = 0
        self._problems: list[Outcome] = []

    def add(self, outcome: Outcome) -> None:
        """One more object."""
        self._counts[outcome.fate] += 1
        self._bytes += outcome.size if outcome.fate is Fate.COPIED else 0
        self._hidden += outcome.hidden
        if outcome.fate is Fate.LEFT and len(self._problems) < NAMED:
            self._problems.append(outcome)

    @property
    def seen(self) -> int:
        """How many objects have been counted."""
        return self._counts.total()

    def __str__(self) -> str:
        """Where it stands, for people who wait."""
        return f"{_size(self._bytes)} copied, {self._counts[Fate.LEFT]:,} left"

    def merged(self) -> Merged:
        """The sum."""
        counts = {fate: self._counts[fate] for fate in Fate}
        return Merged(
            merge=self._merge,
            counts=counts,
            copied_bytes=self._bytes,
            hidden=self._hidden,
            problems=tuple(self._problems),
        )


def _objects(number: int) -> str:
    return f"{number:,} object{'' if number == 1 else 's'}"


def _size(number: float) -> str:
    for unit in ("bytes", "KiB", "MiB", "GiB"):
        if number < 1024:
            return f"{number:,.0f} {unit}" if unit == "bytes" else f"{number:,.1f} {unit}"
        number /= 1024
    return f"{number:,.1f} TiB"
