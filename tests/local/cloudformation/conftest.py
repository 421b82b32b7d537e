"""One engine on moto's stock services for all tests of this folder; every test uses names of its own."""

from __future__ import annotations

from collections.abc import Iterator
from ipaddress import IPv4Network
from pathlib import Path

import pytest

from tests.local.cloudformation.stacks import Stacks, wait_until_settled
from tests.waiting import free_port
from tyrell.local.cloudformation.engine import CloudFormation
from tyrell.local.server import start_server
from tyrell.local.settings import Settings


def delete_all(engine: CloudFormation) -> None:
    """Delete every stack, the newest first: importers come after exporters. moto's records outlive the tests."""
    for stack in engine.store.stacks():
        stack.protected = False
        engine.delete(stack, ())
        wait_until_settled(stack)


@pytest.fixture(scope="package")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[CloudFormation]:
    """A running engine, its API served at `engine.settings.endpoint`."""
    home: Path = tmp_path_factory.mktemp("cloudformation")
    settings = Settings(home=home, port=free_port(), network=IPv4Network("127.32.0.0/16"))
    engine = CloudFormation(settings)
    engine.install()
    engine.start()
    server = start_server(settings)
    # the first request binds the server to this engine, whatever other tests install later
    Stacks(engine).cloudformation.list_stacks()
    yield engine
    delete_all(engine)
    engine.stop()
    server.stop()


@pytest.fixture
def stacks(engine: CloudFormation) -> Stacks:
    """A user of the engine."""
    return Stacks(engine)
