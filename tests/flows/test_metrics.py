"""What the machines of a stack tell of themselves, on the embedded cloud and with a real InfluxDB."""

from __future__ import annotations

from collections.abc import Iterator

import boto3
import httpx
import pytest

from tests.flows.embedded import Tyrell
from tests.link.influxdb_server import READER, InfluxServer, influxdb_or_skip
from tests.link.metrics_agents import keep_secret
from tests.waiting import eventually

pytestmark = [pytest.mark.cloud, pytest.mark.flow, pytest.mark.influxdb]

SECRET = "tyrell/demo/metrics"
SOON = 40
"""Seconds: agents look for the secret, and write, every ten."""


@pytest.fixture(scope="module")
def influxdb() -> Iterator[InfluxServer]:
    """An InfluxDB outside the cloud."""
    yield from influxdb_or_skip()


def test_running_machines_of_all_roles_write_their_metrics_once_their_stack_has_a_secret(
    cloud: Tyrell, stack: dict[str, object], influxdb: InfluxServer
) -> None:
    secrets = boto3.client("secretsmanager")
    keep_secret(secrets, influxdb.url, SECRET)
    try:
        by_machine = "SELECT last(n_cpus) FROM system GROUP BY link_stack, link_type, link_instance_name"
        machines = {"core-services": 3, "router": 2, "target": 2, "tenant-mgmt-api": 1}

        def told() -> dict[str, int]:
            kinds = [kind for _, stack_name, kind, *_ in influxdb.ask(by_machine, "telegraf") if stack_name == "demo"]
            return {kind: kinds.count(kind) for kind in kinds}

        eventually("all machines to write", lambda: told() == machines, SOON)
        unallocated = "SELECT last(value) FROM link_targets_unallocated WHERE link_type = 'tenant-mgmt-api'"
        eventually("the collector's figures", lambda: influxdb.ask(unallocated, "telegraf"), SOON)
    finally:
        secrets.delete_secret(SecretId=SECRET, ForceDeleteWithoutRecovery=True)


def test_the_usage_api_is_beside_the_tenant_api_and_not_for_the_world(
    cloud: Tyrell, stack: dict[str, object], influxdb: InfluxServer
) -> None:
    keep_secret(boto3.client("secretsmanager"), influxdb.url, "tyrell/demo/usage", READER)
    cloud.ok("deploy", "usage-api", "--version", "usage")
    cloud.ok("switch", "usage-api", "usage")

    def ask(path: str, url: object = stack["internal_url"]) -> httpx.Response:
        return httpx.get(f"{url}{path}", trust_env=False)

    assert ask("/usage").json()["class"] == ["root"]
    assert ask("/usage/tenants/acme").json()["class"] == ["tenant"]
    assert ask("/tenants").status_code == 200
    assert "httpCount" not in ask("/usage", stack["url"]).text
