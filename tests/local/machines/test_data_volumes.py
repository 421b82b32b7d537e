"""What a role with data does at its first boot: `attach-volume NAME`, `mount-volume WHERE`."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tasks.link_modules import ROOT, find_program
from tests.local.machines.conftest import Cloud
from tests.waiting import eventually
from tyrell.local.link_image import host_programs, python_program

pytestmark = pytest.mark.cloud

USER_DATA = """#cloud-config
runcmd:
  - opt/link/bin/attach-volume {name} > etc/link/volume
  - opt/link/bin/mount-volume /var/lib/data
  - echo $INSTANCE_ID >> var/lib/data/machines
"""


@pytest.fixture
def image(cloud: Cloud) -> str:
    """A machine image with the two programs."""
    sources = {
        f"opt/link/lib/{name}": (ROOT / name).read_bytes() for name in find_program(["link.attach_volume"]).files
    }
    programs = {f"opt/link/bin/{name}": text.encode() for name, text in host_programs().items()}
    attach = {"opt/link/bin/attach-volume": python_program("link.attach_volume"), "etc/link/README": b""}
    return cloud.image(sources | programs | attach)


@pytest.fixture
def volume(cloud: Cloud, unique: str) -> Iterator[str]:
    """A volume that has a name: that of the test."""
    zone = cloud.ec2.describe_subnets(SubnetIds=[cloud.subnet])["Subnets"][0]["AvailabilityZone"]
    named = [{"ResourceType": "volume", "Tags": [{"Key": "tyrell:volume", "Value": unique}]}]
    volume = cloud.ec2.create_volume(AvailabilityZone=zone, Size=1, TagSpecifications=named)["VolumeId"]
    yield volume
    for attachment in cloud.ec2.describe_volumes(VolumeIds=[volume])["Volumes"][0]["Attachments"]:
        cloud.ec2.terminate_instances(InstanceIds=[attachment["InstanceId"]])
    free = [{"Name": "volume-id", "Values": [volume]}, {"Name": "status", "Values": ["available"]}]
    eventually("the volume is free", lambda: cloud.ec2.describe_volumes(Filters=free)["Volumes"])
    cloud.ec2.delete_volume(VolumeId=volume)


def root(cloud: Cloud, instance: str) -> Path:
    """The machine's root folder."""
    return cloud.settings.instances / instance / "root"


def test_the_next_machine_waits_for_the_volume_and_has_the_data_of_the_former_one(
    cloud: Cloud, image: str, volume: str, unique: str
) -> None:
    first = cloud.run(image, USER_DATA.format(name=unique))
    cloud.await_state(first, "running")
    second = cloud.run(image, USER_DATA.format(name=unique))
    eventually("it says who has it", lambda: f"not yet: {volume} is attached, to {first}" in cloud.console(second))
    assert cloud.instance(second)["State"]["Name"] == "pending"

    cloud.ec2.terminate_instances(InstanceIds=[first])
    cloud.await_state(second, "running")

    assert (root(cloud, second) / "var/lib/data/machines").read_text() == f"{first}\n{second}\n"
    assert (root(cloud, second) / "etc/link/volume").read_text() == f"{volume}\n"


def test_both_programs_can_be_run_again(cloud: Cloud, image: str, volume: str, unique: str) -> None:
    twice = USER_DATA.format(name=unique) + USER_DATA.format(name=unique).partition("runcmd:\n")[2]

    instance = cloud.run(image, twice)
    cloud.await_state(instance, "running")

    assert (root(cloud, instance) / "var/lib/data/machines").read_text() == f"{instance}\n" * 2
    assert "exit status" not in cloud.console(instance)


def test_a_folder_with_something_in_it_is_not_hidden_by_a_volume(
    cloud: Cloud, image: str, volume: str, unique: str
) -> None:
    user_data = USER_DATA.format(name=unique) + "write_files: [{path: /var/lib/data/earlier, content: data}]\n"

    instance = cloud.run(image, user_data)
    cloud.await_state(instance, "running")

    assert "mount-volume: var/lib/data is not empty" in cloud.console(instance)
    assert (root(cloud, instance) / "var/lib/data/earlier").read_text() == "data"
