"""Machine images: captured with both disks, baked by Packer, and what else EC2 knows of them."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import docker
import pytest
from botocore.exceptions import ClientError
from docker.errors import ImageNotFound

from tests.local.containers.cloud import Cloud

pytestmark = pytest.mark.docker

TEMPLATE = Path(__file__).with_name("bake.pkr.hcl")


def test_debian_is_offered_as_debian_does(cloud: Cloud) -> None:
    image = cloud.ec2.describe_images(Owners=["136693071363"], Filters=[{"Name": "name", "Values": ["debian-12-*"]}])

    assert [each["ImageId"] for each in image["Images"]] == [cloud.debian]
    assert image["Images"][0]["Public"]
    assert image["Images"][0]["RootDeviceType"] == "ebs"
    snapshot = image["Images"][0]["BlockDeviceMappings"][0]["Ebs"]["SnapshotId"]
    assert cloud.ec2.describe_snapshots(SnapshotIds=[snapshot])["Snapshots"][0]["OwnerId"] == "136693071363"


def test_an_image_of_an_instance_has_both_its_disks(cloud: Cloud) -> None:
    source = cloud.ready(cloud.debian)
    cloud.says(source, "echo root | sudo tee /etc/marked; echo data | sudo tee /var/lib/docker/marked")
    host_key = cloud.says(source, "cat /etc/ssh/ssh_host_ed25519_key.pub")

    image = cloud.await_image(cloud.ec2.create_image(InstanceId=source, Name="both-disks")["ImageId"])
    copy = cloud.ready(image["ImageId"])

    assert image["State"] == "available"
    assert cloud.instance(source)["State"]["Name"] == "running"
    assert cloud.says(copy, "cat /etc/marked; sudo cat /var/lib/docker/marked") == "root\ndata"
    assert cloud.says(copy, "hostname") != cloud.says(source, "hostname")
    assert cloud.says(copy, "cat /etc/ssh/ssh_host_ed25519_key.pub") != host_key

    cloud.says(copy, "echo changed | sudo tee /var/lib/docker/marked")
    assert cloud.says(source, "sudo cat /var/lib/docker/marked") == "data"
    cloud.terminate([source, copy])


def test_an_image_has_a_unique_name_tags_and_a_snapshot_with_tags(cloud: Cloud, instance: str) -> None:
    tags = [{"Key": "kind", "Value": "test"}]
    specifications = [{"ResourceType": kind, "Tags": tags} for kind in ("image", "snapshot")]

    made = cloud.ec2.create_image(InstanceId=instance, Name="tagged", TagSpecifications=specifications)["ImageId"]
    with pytest.raises(ClientError, match=r"InvalidAMIName.Duplicate.*tagged is already in use"):
        cloud.ec2.create_image(InstanceId=instance, Name="tagged")
    image = cloud.await_image(made)

    assert image["Tags"] == tags
    [disk] = image["BlockDeviceMappings"]
    assert disk["DeviceName"] == image["RootDeviceName"]
    snapshot = cloud.ec2.describe_snapshots(SnapshotIds=[disk["Ebs"]["SnapshotId"]])["Snapshots"][0]
    assert snapshot["Tags"] == tags


def test_a_deregistered_image_and_its_deleted_snapshot_leave_nothing(cloud: Cloud, instance: str) -> None:
    made = cloud.ec2.create_image(InstanceId=instance, Name="short-lived")["ImageId"]
    image = cloud.await_image(made)
    snapshot = image["BlockDeviceMappings"][0]["Ebs"]["SnapshotId"]
    assert docker.from_env().images.get(f"tyrell/ami:{made}")

    cloud.ec2.deregister_image(ImageId=made)
    cloud.ec2.delete_snapshot(SnapshotId=snapshot)

    with pytest.raises(ImageNotFound):
        docker.from_env().images.get(f"tyrell/ami:{made}")
    with pytest.raises(ClientError, match=r"InvalidSnapshot.NotFound"):
        cloud.ec2.describe_snapshots(SnapshotIds=[snapshot])


def test_a_terminated_instance_makes_no_image(cloud: Cloud) -> None:
    instance = cloud.run(cloud.debian)
    cloud.terminate([instance])

    with pytest.raises(ClientError, match=r"IncorrectState.*terminated"):
        cloud.ec2.create_image(InstanceId=instance, Name="of-nothing")


def test_packer_bakes_and_an_instance_has_the_docker_image_without_a_pull(cloud: Cloud, tmp_path: Path) -> None:
    image = bake(cloud, tmp_path)

    instance = cloud.ready(image["ImageId"])
    assert cloud.says(instance, "cat /etc/baked") == "baked"
    assert "debian_version" in cloud.says(instance, "sudo docker run --rm hello:1 /bin/busybox ls /etc")
    assert "debian_version" not in cloud.says(instance, "sudo docker run --rm hello:2")
    assert cloud.says(instance, "systemctl is-system-running --wait") == "running"

    assert image["Tags"] == [{"Key": "kind", "Value": "test"}]
    assert not cloud.ec2.describe_key_pairs(Filters=[{"Name": "key-name", "Values": ["packer_*"]}])["KeyPairs"]
    groups = cloud.ec2.describe_security_groups(Filters=[{"Name": "group-name", "Values": ["packer_*"]}])
    assert not groups["SecurityGroups"]
    cloud.terminate([instance])


def bake(cloud: Cloud, folder: Path) -> Any:
    """Run Packer to its end; the machine image it made."""
    variables = {
        "endpoint": cloud.settings.endpoint,
        "vpc": cloud.ec2.describe_subnets(SubnetIds=[cloud.subnet])["Subnets"][0]["VpcId"],
        "subnet": cloud.subnet,
        "source_ami": cloud.debian,
        "manifest": str(folder / "manifest.json"),
    }
    words = [word for name, value in variables.items() for word in ("-var", f"{name}={value}")]
    settings = {"AWS_POLL_DELAY_SECONDS": "1", "CHECKPOINT_DISABLE": "1"}
    done = subprocess.run(
        ["packer", "build", *words, str(TEMPLATE)],
        env=os.environ | settings,
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-1000:]
    artifact = json.loads((folder / "manifest.json").read_text())["builds"][0]["artifact_id"]
    return cloud.await_image(artifact.partition(":")[2])
