"""One embedded cloud with a whole stack on it, for all tests of the flows."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.flows.embedded import Tyrell, cloud_of_this_process


@pytest.fixture(scope="package")
def cloud() -> Iterator[Tyrell]:
    """The cloud, with nothing on it."""
    with cloud_of_this_process() as tyrell:
        yield tyrell


@pytest.fixture(scope="package")
def stack(cloud: Tyrell) -> dict[str, object]:
    """What `tyrell up` said of the stack it brought up."""
    brought: dict[str, object] = cloud.json("up")
    return brought
