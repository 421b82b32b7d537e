"""One engine on moto's stock services for all tests of this folder; every test uses names of its own."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.local.cloudformation.stacks import Stacks, running_engine
from tyrell.local.cloudformation.engine import CloudFormation


@pytest.fixture(scope="package")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[CloudFormation]:
    """A running engine, its API served at `engine.settings.endpoint`."""
    with running_engine(tmp_path_factory.mktemp("cloudformation")) as engine:
        yield engine


@pytest.fixture
def stacks(engine: CloudFormation) -> Stacks:
    """A user of the engine."""
    return Stacks(engine)
