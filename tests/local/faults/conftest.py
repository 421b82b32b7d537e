"""A cloud with machines and faults, and nothing else, in this process; boto3 as anybody makes it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import cache
from typing import Any

import boto3
import pytest
from botocore.config import Config

from tests.waiting import free_port
from tyrell.local.faults.machines import FaultyDriver
from tyrell.local.faults.model import FAULT, Given
from tyrell.local.faults.remote import add_fault, clear_faults, find_struck
from tyrell.local.faults.switches import Switches
from tyrell.local.machines.engine import Machines
from tyrell.local.machines.process_driver import ProcessDriver
from tyrell.local.server import start_server
from tyrell.local.settings import Settings


class FaultyCloud:
    """A cloud that its tests give faults, through its control endpoint."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.client: Callable[..., Any] = cache(self._client)

    def _client(self, service: str, attempts: int = 1) -> Any:
        """A boto3 client that makes so many attempts at a call."""
        return boto3.client(  # type: ignore[call-overload]
            service,
            endpoint_url=self.settings.endpoint,
            region_name=self.settings.region,
            aws_access_key_id="customer",
            aws_secret_access_key="customer",
            config=Config(retries={"mode": "standard", "total_max_attempts": attempts}, read_timeout=60),
        )

    def give(self, kind: str, **options: Any) -> Given:
        """Have this go wrong."""
        return add_fault(self.settings, FAULT.validate_python({"kind": kind, **options}))

    def struck(self, given: Given) -> tuple[str, ...]:
        """Whom the fault has struck so far."""
        return find_struck(self.settings, given)


@pytest.fixture(scope="package")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[FaultyCloud]:
    settings = Settings(home=tmp_path_factory.mktemp("faults"), port=free_port())
    switches = Switches()
    machines = Machines(settings, FaultyDriver(ProcessDriver(settings), settings, switches))
    machines.install()
    server = start_server(settings, switches)
    machines.start()
    yield FaultyCloud(settings)
    machines.stop()
    server.stop()


@pytest.fixture
def cloud(running: FaultyCloud) -> Iterator[FaultyCloud]:
    """Nothing goes wrong in it yet, and nothing does after the test."""
    yield running
    clear_faults(running.settings)
