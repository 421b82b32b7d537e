"""The stack that the fault matrix is made on."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from tests.faults.cells import Stage
from tests.faults.rounds import NEW, OLD, SMALL, STACK
from tests.flows.embedded import cloud_of_this_process
from tests.flows.releases import bake
from tyrell.local.state import read_state

NETWORK = "127.38.0.0/16"


@contextmanager
def stage() -> Iterator[Stage]:
    """A small stack on an embedded cloud of its own, to which this process is led; both are gone afterwards."""
    with cloud_of_this_process(NETWORK) as tyrell:
        state = read_state(tyrell.home)
        assert state
        ami = bake(state.settings, OLD)
        brought = tyrell.json("up", STACK, "--ami", ami, "--version", OLD, *SMALL)
        bake(state.settings, NEW)
        yield Stage(tyrell, state.settings, str(brought["url"]))
