"""What bakes find and leave in EC2: images of bakes that were killed, holds of others, snapshots without an image."""

from __future__ import annotations

import os
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tasks.bake_holds import check_free, hold_tags
from tasks.bake_leftovers import as_tags, find_groups, hold_name, sweep
from tasks.bake_places import find_place
from tasks.bake_plans import Plan
from tasks.bakes import adopt_build
from tasks.base_images import find_base
from tasks.builds import delete_build, find_build, find_named, find_orphans
from tasks.errors import NotFound, TyrellError
from tasks.machine_images import Contents
from tests.tasks.own_aws import own_aws

pytestmark = pytest.mark.cloud

PLAN = Plan(
    contents=Contents(kind="link", images=(), units={}, programs={}, shared={}),
    base="ami-1",
    packer="1.6.6",
    commit="c0ffee",
    inputs={"base": "1", "units": "2"},
)


@pytest.fixture(scope="module")
def ec2() -> Iterator[Any]:
    """EC2 of an AWS with nothing in it, to which this process is led."""
    with own_aws() as aws:
        yield aws.client("ec2")


@pytest.fixture(autouse=True)
def swept(ec2: Any) -> Iterator[None]:
    """Every test begins and ends with nothing of the plan."""
    yield
    build = find_named(PLAN.name)
    if build:
        delete_build.fn(build)
    sweep.fn(PLAN.name, PLAN.key)


def hold(ec2: Any, **changes: str) -> None:
    """Somebody bakes the plan: us, unless the tags are changed."""
    tags = as_tags(hold_tags(PLAN) | {f"tyrell:{name}": value for name, value in changes.items()})
    vpc = ec2.describe_vpcs()["Vpcs"][0]["VpcId"]
    where = {"VpcId": vpc, "TagSpecifications": [{"ResourceType": "security-group", "Tags": tags}]}
    ec2.create_security_group(GroupName=hold_name(PLAN.name), Description="a bake", **where)


def test_without_an_image_of_the_name_there_is_nothing_to_adopt(ec2: Any) -> None:
    assert adopt_build.fn(PLAN) is None


def test_an_image_whose_bake_was_killed_before_it_was_tagged_is_adopted(ec2: Any) -> None:
    ami = ec2.register_image(Name=PLAN.name)["ImageId"]
    assert find_build(ami).kind == ""
    adopted = adopt_build.fn(PLAN)
    assert adopted
    assert (adopted.ami, adopted.kind, adopted.tags) == (ami, "link", PLAN.tags)
    [snapshot] = ec2.describe_snapshots(SnapshotIds=list(adopted.snapshots))["Snapshots"]
    assert {tag["Key"]: tag["Value"] for tag in snapshot["Tags"]} == PLAN.tags


def test_a_bake_is_refused_while_another_one_of_the_same_lives(ec2: Any) -> None:
    hold(ec2)
    with pytest.raises(TyrellError, match=f"{PLAN.name} is being baked by .*, process {os.getpid()}, since .*; wait"):
        check_free(PLAN)


def test_a_bake_that_died_is_in_nobodys_way(ec2: Any) -> None:
    hold(ec2, since=(datetime.now(UTC) - timedelta(days=1)).isoformat())
    check_free(PLAN)


def test_a_sweep_removes_all_of_a_bake_and_nothing_of_others(ec2: Any) -> None:
    hold(ec2)
    subnet = ec2.describe_subnets()["Subnets"][0]["SubnetId"]
    tags = [{"ResourceType": "instance", "Tags": as_tags(hold_tags(PLAN))}]
    image = ec2.register_image(Name="debian")["ImageId"]
    run = {"ImageId": image, "SubnetId": subnet, "MinCount": 1, "MaxCount": 1}
    [ours] = ec2.run_instances(**run, TagSpecifications=tags)["Instances"]
    [others] = ec2.run_instances(**run)["Instances"]
    ec2.create_key_pair(KeyName=hold_name(PLAN.name))
    ec2.create_key_pair(KeyName="others")

    assert len(sweep.fn(PLAN.name, PLAN.key)) == 3
    instances = ec2.describe_instances(InstanceIds=[ours["InstanceId"], others["InstanceId"]])["Reservations"]
    assert [each["Instances"][0]["State"]["Name"] for each in instances] == ["terminated", "running"]
    assert [pair["KeyName"] for pair in ec2.describe_key_pairs()["KeyPairs"]] == ["others"]
    assert find_groups(PLAN.key) == []
    assert sweep.fn(PLAN.name, PLAN.key) == ()


def test_a_snapshot_whose_image_is_gone_is_an_orphan(ec2: Any) -> None:
    ec2.register_image(Name=PLAN.name)
    build = adopt_build.fn(PLAN)
    assert build
    assert find_orphans() == ()
    ec2.deregister_image(ImageId=build.ami)
    assert find_orphans() == build.snapshots
    delete_build.fn(build)
    assert find_orphans() == ()


def test_without_debians_parameter_the_sentence_says_what_to_name(ec2: Any) -> None:
    with pytest.raises(NotFound, match=r"/aws/service/debian/.* does not exist; name a base image with --base"):
        find_base()


def test_a_base_image_that_is_gone_is_named(ec2: Any) -> None:
    with pytest.raises(NotFound, match="base machine image ami-0 does not exist; leave out --base"):
        find_base("ami-0")


def test_without_a_network_the_sentence_says_what_makes_one(ec2: Any) -> None:
    with pytest.raises(NotFound, match="a network to bake in does not exist; `tyrell network NAME` makes one"):
        find_place()
