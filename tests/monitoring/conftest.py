"""An embedded cloud with a network and a metrics stack in it, for all tests of metrics stacks."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.flows.embedded import Tyrell, cloud_of_this_process

NETWORK = "127.39.0.0/16"


@pytest.fixture(scope="package")
def cloud() -> Iterator[Tyrell]:
    """The cloud, with a network."""
    with cloud_of_this_process(NETWORK) as tyrell:
        tyrell.ok("network", "demo-network")
        yield tyrell


@pytest.fixture(scope="package")
def metrics(cloud: Tyrell) -> list[str]:
    """A metrics stack `demo-metrics`; what `tyrell metrics up` said it changed."""
    changes: list[str] = cloud.json("metrics", "up", "demo-metrics", "--network", "demo-network")["changes"]
    return changes
