"""The stack that the fault matrix is made on."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from tasks import clients
from tests.faults.cells import Stage
from tests.faults.commands import NEW, OLD, STACK
from tests.flows.embedded import embedded_cloud
from tests.flows.releases import bake
from tyrell.local.state import read_state

NETWORK = "127.38.0.0/16"
SMALL = ("--size", "router=1", "--size", "target=1")


@contextmanager
def stage() -> Iterator[Stage]:
    """A small stack on an embedded cloud of its own, to which this process is led; both are gone afterwards."""
    with embedded_cloud(network=NETWORK) as tyrell, pytest.MonkeyPatch.context() as patched:
        for name, value in (tyrell.cloud_environment | {"TYRELL_HOME": str(tyrell.home)}).items():
            patched.setenv(name, value)
        clients.forget()
        state = read_state(tyrell.home)
        assert state
        ami = bake(state.settings, OLD)
        brought = tyrell.json("up", STACK, "--ami", ami, "--version", OLD, *SMALL)
        bake(state.settings, NEW)
        yield Stage(tyrell, state.settings, str(brought["url"]))
    clients.forget()
