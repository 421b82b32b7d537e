"""One embedded cloud with a whole stack on it, for all tests of the flows."""

from __future__ import annotations

from collections.abc import Iterator

import httpx
import pytest
from prefect.settings import PREFECT_API_URL, temporary_settings

from tests.flows.embedded import Tyrell, cloud_of_this_process


@pytest.fixture(scope="package")
def cloud() -> Iterator[Tyrell]:
    """The cloud, with nothing on it."""
    with cloud_of_this_process() as tyrell:
        yield tyrell


@pytest.fixture
def api(cloud: Tyrell) -> Iterator[httpx.Client]:
    """The API of the cloud's own Prefect server, which the flows of this process use meanwhile."""
    url = cloud.cloud_environment["PREFECT_API_URL"]
    with httpx.Client(base_url=url, trust_env=False) as client, temporary_settings({PREFECT_API_URL: url}):
        yield client


@pytest.fixture(scope="package")
def stack(cloud: Tyrell) -> dict[str, object]:
    """What `tyrell up` said of the stack it brought up."""
    brought: dict[str, object] = cloud.json("up")
    return brought
