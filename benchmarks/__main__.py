"""`python -m benchmarks` runs every benchmark; the exit code is 1 when one misses its bound."""

from __future__ import annotations

import sys

from benchmarks import balancer, bring_up, collector, merge, release, upgrade

sys.exit(max(balancer.main(), bring_up.main(), collector.main(), merge.main(), release.main(), upgrade.main()))
