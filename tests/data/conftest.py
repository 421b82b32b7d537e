"""An embedded cloud of their own for tests of data: they take their time, beside those of the other flows."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.flows.embedded import Tyrell, cloud_of_this_process

NETWORK = "127.37.0.0/16"


@pytest.fixture(scope="package")
def cloud() -> Iterator[Tyrell]:
    """The cloud, with nothing on it."""
    with cloud_of_this_process(NETWORK) as tyrell:
        yield tyrell


@pytest.fixture(scope="package")
def stack(cloud: Tyrell) -> dict[str, object]:
    """What `tyrell up` said of the stack it brought up."""
    brought: dict[str, object] = cloud.json("up")
    return brought
