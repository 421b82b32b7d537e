"""One moto server with our Auto Scaling in it, and what a group needs around it: a VPC, subnets, a launch template."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from ipaddress import IPv4Network
from typing import Any

import pytest

from tests.local.autoscaling.cloud import Clock, Cloud
from tests.waiting import free_port
from tyrell.local.autoscaling.engine import AutoScaling
from tyrell.local.aws import client
from tyrell.local.server import start_server
from tyrell.local.settings import Settings

NETWORK = IPv4Network("127.33.0.0/16")


def new_subnet(ec2: Any, vpc: str, number: int, zone: str) -> str:
    """Id of a new subnet."""
    made = ec2.create_subnet(VpcId=vpc, CidrBlock=f"127.33.{number}.0/24", AvailabilityZone=f"us-east-1{zone}")
    return str(made["Subnet"]["SubnetId"])


def new_template(ec2: Any) -> str:
    """Id of a new launch template."""
    data = {"ImageId": "ami-12c6146b", "InstanceType": "t3.small", "UserData": "aGVsbG8="}
    made = ec2.create_launch_template(LaunchTemplateName=f"machine-{uuid.uuid4().hex[:8]}", LaunchTemplateData=data)
    return str(made["LaunchTemplate"]["LaunchTemplateId"])


@pytest.fixture(scope="session")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cloud]:
    settings = Settings(home=tmp_path_factory.mktemp("autoscaling"), port=free_port(), network=NETWORK)
    clock = Clock()
    engine = AutoScaling(settings, clock)
    engine.install()
    server = start_server(settings)
    ec2 = client(settings, "ec2")
    vpc = ec2.create_vpc(CidrBlock=str(NETWORK))["Vpc"]["VpcId"]
    subnets = [new_subnet(ec2, vpc, number, zone) for number, zone in enumerate("abc")]
    engine.start()
    yield Cloud(settings, engine, clock, vpc, subnets, new_template(ec2))
    engine.stop()
    server.stop()


@pytest.fixture
def name(cloud: Cloud) -> Iterator[str]:
    """The name of a group, which is deleted after the test, while the next one runs already."""
    name = f"group-{uuid.uuid4().hex[:8]}"
    yield name
    if cloud.group(name):
        cloud.autoscaling.delete_auto_scaling_group(AutoScalingGroupName=name, ForceDelete=True)
