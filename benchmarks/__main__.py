"""`python -m benchmarks` runs every benchmark; the exit code is 1 when one misses its bound."""

from __future__ import annotations

import sys

from benchmarks import (
    balancer,
    bring_up,
    collector,
    data_worker,
    many,
    many_upgrades,
    merge,
    metrics,
    metrics_report,
    prefect_overhead,
    release,
    throttled,
    upgrade,
)

BENCHMARKS = (
    balancer,
    bring_up,
    collector,
    data_worker,
    many,
    many_upgrades,
    merge,
    metrics,
    metrics_report,
    prefect_overhead,
    release,
    throttled,
    upgrade,
)

sys.exit(max(benchmark.main() for benchmark in BENCHMARKS))
