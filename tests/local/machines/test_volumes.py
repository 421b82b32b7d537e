"""EBS volumes: what attaching and detaching means for machines, and what it is refused for."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.local.machines.conftest import Cloud
from tests.waiting import eventually

pytestmark = pytest.mark.cloud


def make_volume(cloud: Cloud, zone: str = "") -> str:
    """A new volume, in the zone of the cloud's subnet by default; its id."""
    here = cloud.ec2.describe_subnets(SubnetIds=[cloud.subnet])["Subnets"][0]["AvailabilityZone"]
    made = cloud.ec2.create_volume(AvailabilityZone=zone or here, Size=1, VolumeType="gp3", Encrypted=True)
    return str(made["VolumeId"])


@pytest.fixture
def volume(cloud: Cloud) -> Iterator[str]:
    volume = make_volume(cloud)
    yield volume
    if attachments := describe(cloud, volume)["Attachments"]:
        cloud.ec2.terminate_instances(InstanceIds=[attachments[0]["InstanceId"]])
    await_volume(cloud, volume, "available")
    cloud.ec2.delete_volume(VolumeId=volume)


@pytest.fixture
def instance(cloud: Cloud) -> Iterator[str]:
    """A running instance."""
    instance = cloud.run(cloud.image({}))
    cloud.await_state(instance, "running")
    yield instance
    cloud.ec2.terminate_instances(InstanceIds=[instance])


def describe(cloud: Cloud, volume: str) -> Any:
    return cloud.ec2.describe_volumes(VolumeIds=[volume])["Volumes"][0]


def await_volume(cloud: Cloud, volume: str, state: str) -> Any:
    """The volume once its attachment, or without one the volume itself, is in `state`."""

    def look() -> Any:
        seen = describe(cloud, volume)
        states = [attachment["State"] for attachment in seen["Attachments"]] or [seen["State"]]
        return seen if states == [state] else None

    return eventually(f"{volume} is {state}", look)


def attach(cloud: Cloud, volume: str, instance: str, device: str = "/dev/xvdf") -> Any:
    """Attach it and wait until it is."""
    cloud.ec2.attach_volume(VolumeId=volume, InstanceId=instance, Device=device)
    return await_volume(cloud, volume, "attached")


def device(cloud: Cloud, instance: str, name: str = "xvdf") -> Path:
    """The device as it lies in the machine's folder."""
    return cloud.settings.instances / instance / "root" / "dev" / name


def test_an_attached_volume_is_a_folder_in_dev_and_says_so(cloud: Cloud, volume: str, instance: str) -> None:
    seen = attach(cloud, volume, instance)

    assert seen["State"] == "in-use"
    assert seen["Encrypted"]
    (attachment,) = seen["Attachments"]
    assert (attachment["InstanceId"], attachment["Device"]) == (instance, "/dev/xvdf")
    assert device(cloud, instance).is_dir()
    blocks = {each["DeviceName"]: each["Ebs"] for each in cloud.instance(instance)["BlockDeviceMappings"]}
    assert (blocks["/dev/xvdf"]["VolumeId"], blocks["/dev/xvdf"]["Status"]) == (volume, "attached")
    assert blocks["/dev/xvdf"]["DeleteOnTermination"] is False


def test_the_name_that_the_console_offers_is_the_kernels_one_inside(cloud: Cloud, volume: str, instance: str) -> None:
    attach(cloud, volume, instance, "/dev/sdg")

    assert device(cloud, instance, "xvdg").is_dir()


def test_data_stays_when_the_instance_is_terminated_and_the_next_one_sees_it(cloud: Cloud, volume: str) -> None:
    first = cloud.run(cloud.image({}))
    cloud.await_state(first, "running")
    attach(cloud, volume, first)
    (device(cloud, first) / "kept").write_text("data")

    cloud.ec2.terminate_instances(InstanceIds=[first])
    await_volume(cloud, volume, "available")
    second = cloud.run(cloud.image({}))
    cloud.await_state(second, "running")
    attach(cloud, volume, second)

    assert (device(cloud, second) / "kept").read_text() == "data"


def test_a_volume_is_held_until_the_last_process_of_its_machine_has_ended(cloud: Cloud, volume: str) -> None:
    last_words = b"trap 'sleep 1; echo last words > dev/xvdf/written; exit' TERM; sleep 60 & wait"
    files = {
        "opt/link/bin/slow": b"#!/bin/sh\n" + last_words,
        "etc/systemd/system/slow.service": b"[Service]\nExecStart=/opt/link/bin/slow\n",
    }
    instance = cloud.run(cloud.image(files), "#cloud-config\nruncmd: [systemctl start slow]")
    cloud.await_state(instance, "running")
    attach(cloud, volume, instance)
    folder = device(cloud, instance).resolve()

    cloud.ec2.terminate_instances(InstanceIds=[instance])

    assert describe(cloud, volume)["State"] == "in-use"
    await_volume(cloud, volume, "available")
    assert (folder / "written").read_text() == "last words\n"


def test_a_volume_stays_attached_while_its_instance_is_stopped(cloud: Cloud, volume: str, instance: str) -> None:
    attach(cloud, volume, instance)
    (device(cloud, instance) / "kept").touch()

    cloud.ec2.stop_instances(InstanceIds=[instance])
    cloud.await_state(instance, "stopped")
    assert describe(cloud, volume)["State"] == "in-use"
    cloud.ec2.start_instances(InstanceIds=[instance])
    cloud.await_state(instance, "running")

    assert (device(cloud, instance) / "kept").exists()


def test_a_detached_volume_is_gone_from_the_machine_and_can_be_deleted(cloud: Cloud, instance: str) -> None:
    volume = make_volume(cloud)
    attach(cloud, volume, instance)
    folder = device(cloud, instance).resolve()

    assert cloud.ec2.detach_volume(VolumeId=volume)["State"] == "detaching"
    await_volume(cloud, volume, "available")
    assert not device(cloud, instance).is_symlink()
    assert folder.is_dir()

    cloud.ec2.delete_volume(VolumeId=volume)
    assert not folder.exists()


def test_a_volume_has_one_instance_at_a_time_and_a_device_one_volume(cloud: Cloud, volume: str, instance: str) -> None:
    attach(cloud, volume, instance)
    other = make_volume(cloud)

    with pytest.raises(ClientError, match=f"VolumeInUse.*{volume} is already attached"):
        cloud.ec2.attach_volume(VolumeId=volume, InstanceId=instance, Device="/dev/xvdg")
    with pytest.raises(ClientError, match="VolumeInUse"):
        cloud.ec2.delete_volume(VolumeId=volume)
    with pytest.raises(ClientError, match=r"InvalidParameterValue.*Attachment point /dev/sdf is already in use"):
        cloud.ec2.attach_volume(VolumeId=other, InstanceId=instance, Device="/dev/sdf")
    cloud.ec2.delete_volume(VolumeId=other)


def test_a_volume_of_another_zone_or_with_no_device_name_is_refused(cloud: Cloud, volume: str, instance: str) -> None:
    zones = [zone["ZoneName"] for zone in cloud.ec2.describe_availability_zones()["AvailabilityZones"]]
    elsewhere = make_volume(cloud, next(zone for zone in zones if zone != describe(cloud, volume)["AvailabilityZone"]))

    with pytest.raises(ClientError, match=r"InvalidVolume.ZoneMismatch.*not in the same availability zone"):
        cloud.ec2.attach_volume(VolumeId=elsewhere, InstanceId=instance, Device="/dev/xvdf")
    with pytest.raises(ClientError, match=r"InvalidParameterValue.*\(data\) for parameter device"):
        cloud.ec2.attach_volume(VolumeId=volume, InstanceId=instance, Device="data")
    with pytest.raises(ClientError, match=r"InvalidZone.NotFound.*'moon-1a'"):
        make_volume(cloud, "moon-1a")
    cloud.ec2.delete_volume(VolumeId=elsewhere)


def test_an_instance_that_is_gone_gets_no_volume(cloud: Cloud, volume: str) -> None:
    instance = cloud.run(cloud.image({}))
    cloud.ec2.terminate_instances(InstanceIds=[instance])

    with pytest.raises(ClientError, match=rf"IncorrectState.*{instance}"):
        cloud.ec2.attach_volume(VolumeId=volume, InstanceId=instance, Device="/dev/xvdf")


def test_what_is_not_attached_cannot_be_detached(cloud: Cloud, volume: str, instance: str) -> None:
    with pytest.raises(ClientError, match=r"IncorrectState.*'available' state"):
        cloud.ec2.detach_volume(VolumeId=volume)
    attach(cloud, volume, instance)
    with pytest.raises(ClientError, match=r"InvalidInstanceID|InvalidAttachment.NotFound"):
        cloud.ec2.detach_volume(VolumeId=volume, InstanceId="i-0123456789abcdef0")
