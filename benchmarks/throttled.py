"""How much longer a bring-up takes when AWS refuses 30 % of all calls: `python -m benchmarks.throttled [--seed N]`.

Two small stacks on one embedded cloud, one after the other; the second meets AWS's own throttling errors, on every
service, at every call of Tyrell and of the machines. Takes about three minutes and ends with 1 over its bound.
"""

from __future__ import annotations

import argparse
import sys
from functools import partial

from benchmarks.figures import Figure, seconds, show
from tests.faults.rounds import OLD, SMALL
from tests.flows.embedded import Tyrell, cloud_of_this_process
from tests.flows.releases import bake
from tyrell.local.faults.model import CallFault
from tyrell.local.faults.remote import add_fault, clear_faults, find_struck
from tyrell.local.settings import Settings
from tyrell.local.state import read_state

NETWORK = "127.60.0.0/16"
SHARE = 0.3


def main() -> int:
    """Measure, print a table, and return 1 when a figure is over its bound."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.throttled")
    parser.add_argument("--seed", type=int, default=1, help="which calls are refused")
    seed = parser.parse_args().seed
    with cloud_of_this_process(NETWORK) as tyrell:
        state = read_state(tyrell.home)
        assert state
        return show(measure(tyrell, state.settings, seed))


def measure(tyrell: Tyrell, settings: Settings, seed: int) -> list[Figure]:
    """Seconds of both, their ratio, and how many calls were refused."""
    ami = bake(settings, OLD)

    def up(stack: str) -> str:
        return tyrell.ok("up", stack, "--ami", ami, "--version", OLD, *SMALL, timeout=600)

    calm = seconds(partial(up, "calm"))
    given = add_fault(settings, CallFault(kind="throttling", share=SHARE, seed=seed))
    throttled = seconds(partial(up, "throttled"))
    refused = len(find_struck(settings, given))
    clear_faults(settings)
    return [
        Figure("a bring-up", calm, "s"),
        Figure(f"a bring-up with {SHARE:.0%} of all calls throttled", throttled, "s"),
        Figure("calls that were refused", refused, ""),
        Figure("throttled / undisturbed", throttled / calm, "", 2),
    ]


if __name__ == "__main__":
    sys.exit(main())
