"""The stack that the fault matrix is made on."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from tests.faults.cells import Stage
from tests.faults.rounds import NEW, OLD, SMALL, STACK
from tests.flows.embedded import cloud_of_this_process
from tests.flows.releases import bake
from tyrell.local.state import read_state

NETWORKS = ("127.38.0.0/16", "127.58.0.0/16", "127.59.0.0/16")
"""So many clouds can be up at once."""


@contextmanager
def stage(network: str = NETWORKS[0]) -> Iterator[Stage]:
    """A small stack on an embedded cloud of its own, to which this process is led; both are gone afterwards."""
    with cloud_of_this_process(network) as tyrell:
        state = read_state(tyrell.home)
        assert state
        ami = bake(state.settings, OLD)
        brought = tyrell.json("up", STACK, "--ami", ami, "--version", OLD, *SMALL)
        bake(state.settings, NEW)
        yield Stage(tyrell, state.settings, str(brought["url"]))
