"""A call whose answer is lost is made again by the client, and then meets what it has done already."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from tasks import clients
from tasks.buckets import delete_bucket, find_bucket
from tasks.clients import cloudformation, ec2, elbv2
from tasks.model import Group, Version
from tasks.monitoring.storage import backup_bucket, create_backup_bucket, delete_volume
from tasks.role_parts import ByLoadBalancer
from tasks.traffic import add_at_zero, find_rule
from tests.local.cloudformation.stacks import Stacks
from tests.tasks.own_cloudformation import own_cloudformation
from tyrell.local.faults.model import CallFault
from tyrell.local.faults.switches import Switches

TRAFFIC = ByLoadBalancer(kind="load-balancer", balancer="public", priority=100)
BASE = """
Resources:
  Events: {{Type: "AWS::SQS::Queue"}}
Outputs:
  PublicListener: {{Value: "{listener}"}}
"""


@pytest.fixture(scope="module")
def faults() -> Switches:
    """What goes wrong in the cloud."""
    return Switches()


@pytest.fixture(scope="module")
def stacks(tmp_path_factory: pytest.TempPathFactory, faults: Switches) -> Iterator[Stacks]:
    """The cloud that this process is led to."""
    with own_cloudformation(tmp_path_factory.mktemp("cloudformation"), faults) as stacks:
        yield stacks


@pytest.fixture
def group(stacks: Stacks) -> Group:
    """One of routers, in a stack with a balancer and no rule yet."""
    vpc = ec2().create_vpc(CidrBlock="10.7.0.0/16")["Vpc"]["VpcId"]
    zones = [("10.7.0.0/24", "a"), ("10.7.1.0/24", "b")]
    region = ec2().meta.region_name
    subnets = [
        ec2().create_subnet(VpcId=vpc, CidrBlock=cidr, AvailabilityZone=region + zone)["Subnet"]["SubnetId"]
        for cidr, zone in zones
    ]
    balancer = elbv2().create_load_balancer(Name="lab", Subnets=subnets)["LoadBalancers"][0]["LoadBalancerArn"]
    made = elbv2().create_target_group(Name="lab-router-blue", Protocol="HTTP", Port=80, VpcId=vpc)
    arn = made["TargetGroups"][0]["TargetGroupArn"]
    listener = elbv2().create_listener(
        LoadBalancerArn=balancer,
        Protocol="HTTP",
        Port=80,
        DefaultActions=[{"Type": "fixed-response", "FixedResponseConfig": {"StatusCode": "503"}}],
    )["Listeners"][0]["ListenerArn"]
    cloudformation().create_stack(
        StackName="lab",
        TemplateBody=BASE.format(listener=listener),
        Tags=[{"Key": "tyrell:kind", "Value": "base"}],
    )
    stacks.settle("lab")
    version = Version(stack="lab", role="router", id="blue")
    return Group(
        name="g", version=version, release="r", min=0, max=1, desired=1, target_groups=(arn,), machines=(), tags={}
    )


@contextmanager
def losing_the_first_answer(faults: Switches, call: str) -> Iterator[None]:
    """The first answer to that call within the block does not come."""
    given = faults.add(CallFault(kind="lost-answer", call=call, nth=1))
    yield
    (cleared,) = faults.clear(given.id)
    assert cleared.struck


def test_a_rule_that_was_made(group: Group, faults: Switches) -> None:
    with losing_the_first_answer(faults, "elbv2.CreateRule"):
        assert add_at_zero.fn(None, group, TRAFFIC) == ("put router blue into the rule at weight 0",)
    rule = find_rule("lab", "router", TRAFFIC)
    assert rule
    assert rule.weights == {group.target_groups[0]: 0}


@pytest.fixture
def in_frankfurt(stacks: Stacks, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """In the oldest region S3 makes a bucket twice without a word."""
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-central-1")
    clients.forget()
    yield
    clients.forget()


@pytest.mark.usefixtures("in_frankfurt")
def test_a_bucket_that_was_made_and_deleted(faults: Switches) -> None:
    bucket = backup_bucket("watch")
    with losing_the_first_answer(faults, "s3.PUT"):
        assert create_backup_bucket.fn("watch") == (f"created bucket {bucket}",)
    with losing_the_first_answer(faults, "s3.DELETE"):
        assert delete_bucket.fn(bucket, with_data=False) == (f"deleted bucket {bucket}, objects and versions in it: 0",)
    assert not find_bucket(bucket)


def test_a_volume_that_was_deleted(stacks: Stacks, faults: Switches) -> None:
    zone = f"{ec2().meta.region_name}a"
    tags = [{"ResourceType": "volume", "Tags": [{"Key": "tyrell:volume", "Value": "watch"}]}]
    volume = ec2().create_volume(AvailabilityZone=zone, Size=1, TagSpecifications=tags)["VolumeId"]  # type: ignore[arg-type]
    with losing_the_first_answer(faults, "ec2.DeleteVolume"):
        assert delete_volume.fn("watch") == (f"deleted volume {volume}",)
    assert delete_volume.fn("watch") == ()
