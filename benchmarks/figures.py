"""What a benchmark measured, against its bounds."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import NamedTuple

from rich.console import Console
from rich.table import Table

out = Console()


class Figure(NamedTuple):
    """One measurement; without a bound it is only told."""

    what: str
    value: float
    unit: str
    bound: float | None = None


def seconds(act: Callable[[], object]) -> float:
    """How long a call takes."""
    start = time.monotonic()
    act()
    return time.monotonic() - start


def show(figures: Sequence[Figure]) -> int:
    """Print a table; 1 when a figure is over its bound, else 0."""
    table = Table("what", "measured", "bound")
    for what, value, unit, bound in figures:
        table.add_row(what, f"{value:.2f} {unit}", "" if bound is None else f"{bound:g} {unit}")
    out.print(table)
    return int(any(bound is not None and value > bound for _, value, _, bound in figures))
