"""One cloud for all bakes: they take their time."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tasks import clients
from tests.bakes.bakery import Bakery, bakery


@pytest.fixture(scope="package")
def cloud() -> Iterator[Bakery]:
    """A cloud to bake on."""
    with bakery() as found:
        yield found


@pytest.fixture(scope="module")
def led_there(cloud: Bakery) -> Iterator[None]:
    """This process talks to the cloud."""
    with pytest.MonkeyPatch.context() as environment:
        for name, value in cloud.tyrell.cloud_environment.items():
            environment.setenv(name, value)
        clients.forget()
        yield
    clients.forget()
