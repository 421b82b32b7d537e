"""One embedded cloud with a whole stack on it, for all tests of the flows."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tasks import clients
from tests.flows.embedded import Tyrell, embedded_cloud


@pytest.fixture(scope="package")
def cloud() -> Iterator[Tyrell]:
    """An embedded cloud with a Prefect server and nothing on it; this process is led to it too."""
    with embedded_cloud() as tyrell, pytest.MonkeyPatch.context() as patched:
        for name, value in (tyrell.cloud_environment | {"TYRELL_HOME": str(tyrell.home)}).items():
            patched.setenv(name, value)
        clients.forget()
        yield tyrell
        clients.forget()


@pytest.fixture(scope="package")
def stack(cloud: Tyrell) -> dict[str, object]:
    """What `tyrell up` said of the stack it brought up."""
    brought: dict[str, object] = cloud.json("up")
    return brought
