"""What an hour of something costs, by a dated table of list prices: `prices.toml`. Pure."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from datetime import date
from functools import lru_cache
from pathlib import Path

from pydantic import Field

from tasks.model import Noun
from tasks.planning.plan import Costs, Draft, RunRate

FILE = Path(__file__).with_name("prices.toml")
HOURS_A_MONTH = 730
"""As AWS counts: https://aws.amazon.com/ebs/pricing/"""


class RegionPrices(Noun):
    """USD by the name of what is paid for."""

    hour: dict[str, float] = Field(default_factory=dict)
    month: dict[str, float] = Field(default_factory=dict)

    def of(self, name: str) -> float | None:
        """USD an hour; None when nobody knows."""
        if name in self.month:
            return self.month[name] / HOURS_A_MONTH
        return self.hour.get(name)


class Prices(Noun):
    """The table."""

    date: date
    source: str
    regions: dict[str, RegionPrices]


@lru_cache(maxsize=4)
def load_prices(file: Path = FILE) -> Prices:
    """The table in that file. Raises pydantic's ValidationError."""
    return Prices.model_validate(tomllib.loads(file.read_text()))


def run_rate(items: Mapping[str, float], prices: RegionPrices) -> RunRate:
    """What they cost together; what has no price is named instead of guessed."""
    known = {name: price for name in items if (price := prices.of(name)) is not None}
    return RunRate(
        usd_per_hour=round(sum(items[name] * price for name, price in known.items()), 4),
        unpriced=tuple(name for name in items if name not in known),
    )


def costs_of(draft: Draft, region: str, prices: Prices | None = None) -> Costs:
    """What the draft's items cost in that region."""
    table = prices or load_prices()
    here = table.regions.get(region, RegionPrices())
    return Costs(
        before=run_rate(draft.before, here),
        during=run_rate(draft.during, here),
        after=run_rate(draft.after, here),
        prices=table.date,
        region=region,
    )
