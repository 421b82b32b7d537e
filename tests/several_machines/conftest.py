"""One Prefect server of several processes for all tests of this folder."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from prefect.settings import PREFECT_API_AUTH_STRING, PREFECT_API_URL, temporary_settings

from tests.several_machines.servers import Servers, prefect_servers


@pytest.fixture(scope="package")
def servers() -> Iterator[Servers]:
    """PostgreSQL, Redis and Prefect; clients in this process talk to it."""
    with tempfile.TemporaryDirectory(prefix="prefect-") as folder, prefect_servers(Path(folder)) as running:
        client = running.client
        settings = {
            PREFECT_API_URL: client["PREFECT_API_URL"],
            PREFECT_API_AUTH_STRING: client["PREFECT_API_AUTH_STRING"],
        }
        with temporary_settings(settings):
            yield running
