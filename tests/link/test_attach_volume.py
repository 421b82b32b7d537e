"""attach-volume finds the one volume of its name and zone; what it misses it says."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator

import pytest

from link.attach_volume import await_attached
from link.shared.environment import Environment
from tests.link.aws_server import REGION, Aws, MachineGroup, aws_server

pytestmark = pytest.mark.cloud

NETWORK = "127.48.0.0/16"
ADDRESS = "127.48.1.4"
SETTINGS = Environment({"COREOS_PRIVATE_IPV4": ADDRESS, "AWS_REGION": REGION})


@pytest.fixture
def aws() -> Iterator[Aws]:
    """A cloud with one machine, at ADDRESS."""
    with aws_server() as server, pytest.MonkeyPatch.context() as patched:
        for name, value in server.variables.items():
            patched.setenv(name, value)
        MachineGroup(server, "metrics", NETWORK, {}).add(ADDRESS)
        yield server


def own_zone(aws: Aws) -> str:
    instance = aws.client("ec2").describe_instances()["Reservations"][0]["Instances"][0]
    return str(instance["Placement"]["AvailabilityZone"])


def make_volume(aws: Aws, zone: str) -> str:
    named = [{"ResourceType": "volume", "Tags": [{"Key": "tyrell:volume", "Value": "data"}]}]
    made = aws.client("ec2").create_volume(AvailabilityZone=zone, Size=1, TagSpecifications=named)
    return str(made["VolumeId"])


def test_the_volume_of_the_own_zone_is_attached_once(aws: Aws) -> None:
    zone = own_zone(aws)
    make_volume(aws, next(f"{REGION}{letter}" for letter in "abc" if f"{REGION}{letter}" != zone))
    volume = make_volume(aws, zone)

    assert await_attached("data", SETTINGS) == volume
    assert await_attached("data", SETTINGS) == volume

    (attachment,) = aws.client("ec2").describe_volumes(VolumeIds=[volume])["Volumes"][0]["Attachments"]
    assert attachment["Device"] == "/dev/xvdf"


@pytest.mark.parametrize("number", [0, 2])
def test_no_volume_of_that_name_or_two_is_told_in_the_end(aws: Aws, number: int) -> None:
    zone = own_zone(aws)
    for _ in range(number):
        make_volume(aws, zone)

    with pytest.raises(
        TimeoutError, match=f"volume data .*: {number} volumes have the tag tyrell:volume=data in {zone}"
    ):
        await_attached("data", SETTINGS, timeout=0)


@pytest.mark.parametrize(
    ("words", "says"),
    [([], "give the name of the volume"), (["data"], "environment variable COREOS_PRIVATE_IPV4 is not set")],
)
def test_bad_input_is_one_sentence(words: list[str], says: str) -> None:
    environment = {"PATH": os.environ["PATH"]}
    command = [sys.executable, "-m", "link.attach_volume", *words]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)

    assert done.returncode == 2
    assert done.stderr.startswith(f"attach-volume: {says}")
    assert done.stderr.count("\n") == 1
