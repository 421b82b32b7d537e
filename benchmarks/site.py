"""A team's Prefect server and an embedded cloud, for what is measured through workers."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from prefect.settings import PREFECT_API_AUTH_STRING, PREFECT_API_URL, temporary_settings

from tasks import clients
from tasks.model import Release
from tests.flows.embedded import Tyrell, embedded_cloud
from tests.flows.releases import bake
from tests.several_machines.servers import Servers, prefect_servers
from tests.several_machines.team import Team
from tyrell.local.state import read_state

NETWORK = "127.54.0.0/16"


@dataclass
class Site:
    """Both of them, and the team that works there."""

    servers: Servers
    cloud: Tyrell
    team: Team

    def release(self, name: str) -> Release:
        """A good release that differs from all others in every role."""
        state = read_state(self.cloud.home)
        assert state
        return Release(id=name, ami=bake(state.settings, name))


@contextmanager
def site() -> Iterator[Site]:
    """Server and cloud, without a worker yet; flows of this process use them, too."""
    with tempfile.TemporaryDirectory(prefix="prefect-") as folder, prefect_servers(Path(folder)) as servers:
        auth = servers.client["PREFECT_API_AUTH_STRING"]
        settings = {PREFECT_API_URL: servers.client["PREFECT_API_URL"], PREFECT_API_AUTH_STRING: auth}
        with embedded_cloud(network=NETWORK, prefect=False) as cloud, temporary_settings(settings):
            os.environ.update(cloud.cloud_environment)
            clients.forget()
            yield Site(servers, cloud, Team(servers, cloud.cloud_environment))
