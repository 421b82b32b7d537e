"""What a cloud leaves behind: nothing, not even when it was killed; and nothing of others is touched."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Iterator

import docker
import pytest

from tests.local.containers.cloud import Cloud, cloud_of_containers, things_of
from tests.waiting import eventually
from tyrell.local.state import is_daemon, read_record

pytestmark = pytest.mark.docker

NETWORK = "10.78.0.0/16"


@pytest.fixture
def volume_of_another_cloud() -> Iterator[str]:
    volume = docker.from_env().volumes.create(labels={"tyrell.home": "/nobody"})
    yield volume.name
    volume.remove()


def kill_the_daemon(cloud: Cloud) -> None:
    record = read_record(cloud.settings.home)
    assert record
    os.kill(record.pid, signal.SIGKILL)
    eventually("the daemon is gone", lambda: not is_daemon(record.pid))


def packet_filters() -> str:
    """The tables of this machine, which are named after the bridges that they guard."""
    return subprocess.run(["nft", "list", "tables"], capture_output=True, text=True, check=True).stdout


def test_down_removes_everything_and_nothing_of_others(volume_of_another_cloud: str) -> None:
    with cloud_of_containers(NETWORK) as cloud:
        cloud.await_state(cloud.run(cloud.debian), "running")
        assert len(things_of(cloud.settings.home)) == 3  # a container, its volume, the network

        cloud.tyrell.ok("local", "down")

        assert things_of(cloud.settings.home) == []
        assert docker.from_env().volumes.get(volume_of_another_cloud)


def test_what_a_killed_cloud_left_is_removed_by_down(volume_of_another_cloud: str) -> None:
    with cloud_of_containers(NETWORK) as cloud:
        cloud.await_state(cloud.run(cloud.debian), "running")
        kill_the_daemon(cloud)
        assert len(things_of(cloud.settings.home)) == 3
        bridge = next(name for name in things_of(cloud.settings.home) if not name.startswith("tyrell-i-"))
        assert bridge in packet_filters()

        cloud.tyrell.ok("local", "down")

        assert things_of(cloud.settings.home) == []
        assert bridge not in packet_filters()


def test_what_a_killed_cloud_left_is_removed_by_the_next_one() -> None:
    with cloud_of_containers(NETWORK) as cloud:
        cloud.await_state(cloud.run(cloud.debian), "running")
        kill_the_daemon(cloud)

        again = ("--machines", "docker", "--network", NETWORK, "--port", str(cloud.settings.port), "--no-prefect")
        cloud.tyrell.ok("local", "up", *again)

        [network] = things_of(cloud.settings.home)
        assert network.startswith("tyrell-")
        assert cloud.ec2.describe_instances()["Reservations"] == []
