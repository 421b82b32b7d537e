"""The days that usage is asked for."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

LONGEST = timedelta(days=366)
AGGREGATIONS = ("day", "month")


class PeriodInvalid(Exception):
    """The query does not say a period; the text is one sentence."""


@dataclass(frozen=True)
class Period:
    """From `start` to `end`, both included, as sums of a `day` or a `month`."""

    start: datetime
    end: datetime
    aggregation: str

    @classmethod
    def from_query(cls, query: Mapping[str, str], now: datetime) -> "Period":
        """Read startDate, endDate (ISO 8601) and aggregation; without dates it is this month so far, in UTC.

        Raises `PeriodInvalid`.
        """
        aggregation = query.get("aggregation") or "day"
        if aggregation not in AGGREGATIONS:
            raise PeriodInvalid(f"aggregation must be day or month, not {aggregation!r}")
        first, last = query.get("startDate"), query.get("endDate")
        if bool(first) != bool(last):
            raise PeriodInvalid("startDate and endDate must be given together")
        today = now.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
        start = _date("startDate", first) if first else today.replace(day=1)
        end = _date("endDate", last) if last else today
        if not timedelta(0) <= end - start <= LONGEST:
            raise PeriodInvalid(f"endDate must not be before startDate, nor more than {LONGEST.days} days after it")
        return cls(start, end, aggregation)

    def bucket(self, time: str) -> str:
        """Return the beginning of the day or month that a time lies in, both as InfluxDB writes them."""
        return time if self.aggregation == "day" else f"{time[:7]}-01T00:00:00Z"


def _date(name: str, text: str) -> datetime:
    try:
        date = datetime.fromisoformat(text)
    except ValueError:
        raise PeriodInvalid(f"{name} must be a date such as 2026-01-31, not {text!r}") from None
    return date.replace(tzinfo=date.tzinfo or UTC).astimezone(UTC)


def shown(date: datetime) -> str:
    """Return a date as the API and InfluxDB write it."""
    return date.strftime("%Y-%m-%dT%H:%M:%SZ")
