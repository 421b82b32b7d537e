"""EBS volumes in an instance that is a container."""

from __future__ import annotations

import pytest

from tests.local.containers.cloud import Cloud
from tests.waiting import eventually

pytestmark = pytest.mark.docker


def await_volume(cloud: Cloud, volume: str, state: str) -> None:
    def look() -> bool:
        seen = cloud.ec2.describe_volumes(VolumeIds=[volume])["Volumes"][0]
        return [attachment["State"] for attachment in seen["Attachments"]] == [state] or seen["State"] == state

    eventually(f"{volume} is {state}", look, 60)


def attach(cloud: Cloud, volume: str, instance: str) -> None:
    cloud.ec2.attach_volume(VolumeId=volume, InstanceId=instance, Device="/dev/sdf")
    await_volume(cloud, volume, "attached")


def test_data_of_a_volume_outlives_its_instance_and_is_there_for_the_next_one(cloud: Cloud) -> None:
    first, second = cloud.run(cloud.debian), cloud.run(cloud.debian)
    zone = cloud.instance(first)["Placement"]["AvailabilityZone"]
    volume = cloud.ec2.create_volume(AvailabilityZone=zone, Size=1, VolumeType="gp3")["VolumeId"]
    cloud.await_login(first)
    cloud.await_login(second)

    attach(cloud, volume, first)
    cloud.says(first, "echo data | sudo tee /dev/xvdf/kept")
    cloud.terminate([first])
    await_volume(cloud, volume, "available")
    attach(cloud, volume, second)
    assert cloud.says(second, "cat /dev/xvdf/kept") == "data"

    cloud.ec2.stop_instances(InstanceIds=[second])
    cloud.await_state(second, "stopped")
    cloud.ec2.start_instances(InstanceIds=[second])
    cloud.await_login(second)
    assert cloud.says(second, "cat /dev/xvdf/kept") == "data"

    cloud.ec2.detach_volume(VolumeId=volume)
    await_volume(cloud, volume, "available")
    assert cloud.ssh(second, "ls /dev/xvdf").returncode
    cloud.terminate([second])
    cloud.ec2.delete_volume(VolumeId=volume)
    assert not list(cloud.settings.volumes.iterdir())
