"""Docker images of other people, which know etcd by its v2 API only, on machines of the embedded cloud."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import docker
import httpx
import pytest

from tests.bakes.bakery import Bakery
from tests.waiting import eventually

pytestmark = [pytest.mark.docker, pytest.mark.cloud]

OTHERS = Path(__file__).with_name("others")
ROLES = ("router", "target", "tenant-mgmt-api")
TENANT = "x-apigee-iot-tenant-id"
RECORD = r'{"type":"cloud-target",(?:"tenantId":"\w+",)?"url":"http://(.+)","created":"[-\d]+T[:\d]+\.000Z","version":"(\w+)"}'


class Others:
    """A stack of theirs."""

    def __init__(self, bakery: Bakery, ami: str, overview: dict[str, Any]) -> None:
        self.tyrell, self.ami, self.url = bakery.tyrell, ami, overview["url"]
        filters = [
            {"Name": "tag:tyrell:stack", "Values": ["others"]},
            {"Name": "tag:tyrell:role", "Values": ["core-services"]},
        ]
        [first, *_] = bakery.ec2().describe_instances(Filters=filters)["Reservations"]
        self._etcd = f"http://{first['Instances'][0]['PrivateIpAddress']}:4001/v2/keys"

    def node(self, key: str) -> Any:
        """What etcd has there."""
        return httpx.get(f"{self._etcd}{key}", params={"recursive": "true"}).json().get("node", {})

    def records(self, version: str) -> dict[str, str]:
        """The registrations of a version, by address; each is as the others expect it, and has no end."""
        found = {}
        for node in self.node("/services/zetta").get("nodes", []):
            match = re.fullmatch(RECORD, node["value"])
            assert match, node["value"]
            assert node["key"] == f"/services/zetta/{match[1]}"
            assert "ttl" not in node
            if match[2] == version:
                found[match[1]] = node["value"]
        return found

    def ask(self, tenant: str) -> httpx.Response:
        """A tenant's request to the load balancer."""
        return httpx.get(self.url, headers={TENANT: tenant})


@pytest.fixture(scope="module")
def others(cloud: Bakery) -> Iterator[Others]:
    """Their stack, up; it has the machine for itself."""
    cloud.tyrell.run("down", "demo", "--yes")
    cloud.tyrell.ok("network")  # it went with the last stack in it
    client = docker.from_env()
    for role in ROLES:
        client.images.build(path=str(OTHERS), tag=f"tyrell-test-others:{role}", buildargs={"PROGRAM": role}, rm=True)
    client.close()
    ami = cloud.bake(**{role: f"tyrell-test-others:{role}" for role in ROLES})["build"]["ami"]
    ones = ("--size", "router=1", "--size", "target=1", "--size", "tenant-mgmt-api=1")
    overview = cloud.tyrell.json("up", "others", "--registry-api", "v2", "--ami", ami, "--version", "one", *ones)
    yield Others(cloud, ami, overview)
    cloud.tyrell.ok("down", "others", "--yes")


def test_they_get_the_environment_and_the_records_that_they_expect(others: Others) -> None:
    answer = others.ask("acme")
    assert answer.status_code == 200
    said = answer.json()
    assert (said["VERSION"], said["ZETTA_STACK"]) == ("one", "others")
    assert said["DEVICE_DATA_QUEUE"].startswith("http")
    assert said["USAGE_QUEUE"].startswith("http")
    assert len(others.records("one")) == 10
    address = f"{said['COREOS_PRIVATE_IPV4']}:{said['MAPPED_PORT']}"
    assert '"tenantId":"acme"' in others.records("one")[address]
    assert json.loads(others.node("/zetta/version")["value"]) == {"version": "one"}


def test_a_target_that_starts_anew_is_free(others: Others) -> None:
    said = others.ask("bolt").json()
    address = f"{said['COREOS_PRIVATE_IPV4']}:{said['MAPPED_PORT']}"
    assert '"tenantId":"bolt"' in others.records("one")[address]
    httpx.delete(f"http://{address}/restart")
    eventually("it to leave", lambda: address not in others.records("one"), 20)
    record = eventually("it to come back", lambda: others.records("one").get(address, ""), 20)
    assert "tenantId" not in record


def test_another_api_for_the_same_stack_is_refused(others: Others) -> None:
    refused = others.tyrell.run("up", "others", "--registry-api", "v3")
    assert refused.returncode == 2
    assert "kept with etcd's v2 API" in refused.stderr


def test_their_targets_are_upgraded_rolled_back_and_forgotten(others: Others) -> None:
    assert others.ask("acme").json()["VERSION"] == "one"
    here = ("--stack", "others")
    others.tyrell.ok("upgrade", "target", *here, "--to", others.ami, "--version", "two", "--no-gate", "--steady", "1")
    assert json.loads(others.node("/zetta/version")["value"]) == {"version": "two"}
    assert others.ask("acme").json()["VERSION"] == "two"
    eventually("the old targets to be free", lambda: "tenantId" not in "".join(others.records("one").values()), 60)

    others.tyrell.ok("rollback", "target", *here)
    assert others.ask("acme").json()["VERSION"] == "one"
    eventually("the new targets to be gone", lambda: others.records("two") == {}, 60)
