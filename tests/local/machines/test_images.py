"""AMIs: registered with their contents, found again, removed."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest
from botocore.exceptions import ClientError

from tests.local.machines.conftest import Cloud
from tyrell.local.aws import client
from tyrell.local.machines.images import Link, register_image, unpacked_image

FILES: Mapping[str, bytes | Link] = {
    "opt/link/bin/run": b"#!/bin/sh\n",
    "etc/motd": b"hello\n",
    "usr/local/bin/true": Link(Path("/bin/true")),
}


def test_an_image_has_the_facts_that_packer_and_people_look_for(cloud: Cloud, unique: str) -> None:
    image = register_image(cloud.settings, unique, FILES, {"tyrell:role": "router"})

    (described,) = cloud.ec2.describe_images(ImageIds=[image])["Images"]

    assert described["Name"].startswith(f"{unique}-")
    assert described["State"] == "available"
    assert described["Architecture"] == "x86_64"
    assert described["RootDeviceType"] == "ebs"
    assert described["RootDeviceName"] == "/dev/xvda"
    assert described["VirtualizationType"] == "hvm"
    assert described["ImageLocation"] == f"tyrell-amis/{described['Name']}.tar.gz"
    assert described["Tags"] == [{"Key": "tyrell:role", "Value": "router"}]


def test_contents_come_out_as_they_went_in(cloud: Cloud, unique: str) -> None:
    image = register_image(cloud.settings, unique, FILES, {})
    (described,) = cloud.ec2.describe_images(ImageIds=[image])["Images"]

    folder = unpacked_image(cloud.settings, described["ImageLocation"])

    assert (folder / "etc/motd").read_bytes() == b"hello\n"
    assert (folder / "etc/motd").stat().st_mode & 0o777 == 0o644
    assert (folder / "opt/link/bin/run").stat().st_mode & 0o777 == 0o755
    assert (folder / "usr/local/bin/true").readlink() == Path("/bin/true")


def test_the_same_image_is_registered_once(cloud: Cloud, unique: str) -> None:
    image = register_image(cloud.settings, unique, FILES, {"a": "b"})

    assert register_image(cloud.settings, unique, dict(sorted(FILES.items(), reverse=True)), {"a": "b"}) == image
    assert register_image(cloud.settings, unique, FILES, {"a": "c"}) != image
    assert register_image(cloud.settings, unique, {**FILES, "etc/motd": b"bye\n"}, {"a": "b"}) != image


def test_a_name_is_given_to_one_image_only(cloud: Cloud, unique: str) -> None:
    cloud.ec2.register_image(Name=unique)

    with pytest.raises(ClientError, match="InvalidAMIName"):
        cloud.ec2.register_image(Name=unique)


def test_a_deregistered_image_leaves_no_contents_and_starts_nothing(cloud: Cloud, unique: str) -> None:
    image = register_image(cloud.settings, unique, FILES, {})
    (described,) = cloud.ec2.describe_images(ImageIds=[image])["Images"]
    folder = unpacked_image(cloud.settings, described["ImageLocation"])

    cloud.ec2.deregister_image(ImageId=image)

    contents = client(cloud.settings, "s3").list_objects_v2(Bucket="tyrell-amis", Prefix=unique)
    assert contents["KeyCount"] == 0
    assert not folder.exists()
    with pytest.raises(ClientError, match="InvalidAMIID"):
        cloud.run(image)
