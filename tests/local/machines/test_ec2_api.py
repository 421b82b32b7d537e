"""What our EC2 API answers otherwise than moto's; these fail when another moto changes under it."""

from __future__ import annotations

import base64
import json
from concurrent.futures import ThreadPoolExecutor

import pytest
from botocore.exceptions import ClientError

from tests.local.machines.conftest import ANSWERING_IMAGE, Cloud
from tyrell.local.aws import client
from tyrell.local.machines.records import Records

SHORT_USER_DATA = "#cloud-config\nruncmd: [echo from the template]"


def encoded(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


def test_a_vpc_outside_the_loopback_range_is_refused(cloud: Cloud) -> None:
    with pytest.raises(ClientError, match=r"InvalidVpc.Range.*'10.0.0.0/16' is outside 127.0.0.0/8"):
        cloud.ec2.create_vpc(CidrBlock="10.0.0.0/16")


def test_vpcs_must_not_share_addresses_because_they_share_a_machine(cloud: Cloud) -> None:
    vpc = cloud.ec2.create_vpc(CidrBlock="127.34.240.0/24")["Vpc"]["VpcId"]
    with pytest.raises(ClientError, match=rf"InvalidVpc.Range.*overlaps 127.34.240.0/24 of {vpc}"):
        cloud.ec2.create_vpc(CidrBlock="127.34.240.128/25")
    cloud.ec2.delete_vpc(VpcId=vpc)


@pytest.mark.parametrize("image", ["ami-0123456789abcdef0", "nonsense"])
def test_an_unknown_image_is_refused(cloud: Cloud, image: str) -> None:
    with pytest.raises(ClientError, match="InvalidAMIID"):
        cloud.run(image)


def test_an_instance_without_a_subnet_is_refused(cloud: Cloud) -> None:
    with pytest.raises(ClientError, match=r"VPCIdNotSpecified.*pass a SubnetId"):
        cloud.ec2.run_instances(ImageId=cloud.image({}), MinCount=1, MaxCount=1)


def test_an_operation_that_nobody_implements_is_an_aws_error(cloud: Cloud) -> None:
    with pytest.raises(ClientError, match=r"UnknownOperation.*CreateCoipPool is not available"):
        cloud.ec2.create_coip_pool(LocalGatewayRouteTableId="lgw-rtb-1")


def test_an_answer_to_run_instances_says_pending(cloud: Cloud) -> None:
    image = cloud.image(ANSWERING_IMAGE)

    run = cloud.ec2.run_instances(ImageId=image, SubnetId=cloud.subnet, MinCount=2, MaxCount=2)

    assert [instance["State"] for instance in run["Instances"]] == [{"Code": 0, "Name": "pending"}] * 2
    assert len({instance["PrivateIpAddress"] for instance in run["Instances"]}) == 2


def test_nobody_sees_an_instance_run_before_it_was_booted(cloud: Cloud) -> None:
    image = cloud.image(ANSWERING_IMAGE)
    early: list[str] = []

    def run_and_look(_: int) -> None:
        instance = cloud.run(image, "#cloud-config\nruncmd: [[sleep, '60']]")
        early.append(cloud.instance(instance)["State"]["Name"])

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(run_and_look, range(8)))

    assert early == ["pending"] * 8


@pytest.fixture
def profile(cloud: Cloud, unique: str) -> str:
    iam = client(cloud.settings, "iam")
    iam.create_role(RoleName=unique, AssumeRolePolicyDocument=json.dumps({"Statement": []}))
    iam.create_instance_profile(InstanceProfileName=unique)
    iam.add_role_to_instance_profile(InstanceProfileName=unique, RoleName=unique)
    return unique


@pytest.mark.parametrize("version", ["1", "2", "$Latest"])
def test_a_launch_template_gives_all_its_data_to_the_instance(
    cloud: Cloud, unique: str, profile: str, version: str
) -> None:
    vpc = cloud.ec2.describe_subnets(SubnetIds=[cloud.subnet])["Subnets"][0]["VpcId"]
    group = cloud.ec2.create_security_group(GroupName=unique, Description="test", VpcId=vpc)["GroupId"]
    data = {
        "ImageId": cloud.image({}),
        "InstanceType": "t3.small",
        "UserData": encoded(SHORT_USER_DATA),
        "IamInstanceProfile": {"Name": profile},
        "MetadataOptions": {"HttpTokens": "required", "HttpPutResponseHopLimit": 2},
        "SecurityGroupIds": [group],
        "TagSpecifications": [{"ResourceType": "instance", "Tags": [{"Key": "tyrell:role", "Value": "router"}]}],
    }
    cloud.ec2.create_launch_template(LaunchTemplateName=unique, LaunchTemplateData=data)
    cloud.ec2.create_launch_template_version(LaunchTemplateName=unique, LaunchTemplateData=data)

    template = {"LaunchTemplateName": unique, "Version": version}
    run = cloud.ec2.run_instances(LaunchTemplate=template, SubnetId=cloud.subnet, MinCount=2, MaxCount=2)

    for made in run["Instances"]:
        instance = cloud.await_state(made["InstanceId"], "running")
        assert instance["ImageId"] == data["ImageId"]
        assert instance["InstanceType"] == "t3.small"
        assert instance["IamInstanceProfile"]["Arn"].endswith(f"instance-profile/{profile}")
        assert instance["MetadataOptions"]["HttpTokens"] == "required"
        assert instance["MetadataOptions"]["HttpPutResponseHopLimit"] == 2
        assert [each["GroupId"] for each in instance["SecurityGroups"]] == [group]
        assert {"Key": "tyrell:role", "Value": "router"} in instance["Tags"]
        assert "from the template" in cloud.console(made["InstanceId"])


def test_a_run_that_fails_halfway_leaves_nothing_in_the_records(cloud: Cloud) -> None:
    image = cloud.image({})
    address = cloud.address(cloud.run(image))
    before = cloud.ec2.describe_instances()["Reservations"]

    with pytest.raises(ClientError, match="IP already in use"):
        cloud.ec2.run_instances(ImageId=image, SubnetId=cloud.subnet, PrivateIpAddress=address, MinCount=2, MaxCount=2)

    assert len(cloud.ec2.describe_instances()["Reservations"]) == len(before)


def test_what_the_request_says_wins_over_the_launch_template(cloud: Cloud, unique: str) -> None:
    data = {"ImageId": cloud.image({}), "InstanceType": "t3.small", "UserData": encoded("#!/bin/sh\necho template\n")}
    cloud.ec2.create_launch_template(LaunchTemplateName=unique, LaunchTemplateData=data)

    run = cloud.ec2.run_instances(
        LaunchTemplate={"LaunchTemplateName": unique},
        SubnetId=cloud.subnet,
        MinCount=1,
        MaxCount=1,
        InstanceType="t3.large",
        UserData="#!/bin/sh\necho request\n",
    )

    instance = cloud.await_state(run["Instances"][0]["InstanceId"], "running")
    assert instance["InstanceType"] == "t3.large"
    assert "cloud-init: request" in cloud.console(instance["InstanceId"])


def test_the_address_and_interface_of_a_terminated_instance_are_free_again(cloud: Cloud) -> None:
    instance = cloud.run(cloud.image({}))
    address = cloud.await_state(instance, "running")["PrivateIpAddress"]

    cloud.ec2.terminate_instances(InstanceIds=[instance])
    cloud.await_state(instance, "terminated")

    here = [{"Name": "private-ip-address", "Values": [address]}]
    assert cloud.ec2.describe_network_interfaces(Filters=here)["NetworkInterfaces"] == []
    again = cloud.ec2.run_instances(
        ImageId=cloud.image({}), SubnetId=cloud.subnet, PrivateIpAddress=address, MinCount=1, MaxCount=1
    )
    assert again["Instances"][0]["PrivateIpAddress"] == address


def test_a_forgotten_instance_is_gone_from_the_records_and_its_successor_keeps_the_address(cloud: Cloud) -> None:
    instance = cloud.run(cloud.image({}))
    address = cloud.address(instance)
    cloud.ec2.terminate_instances(InstanceIds=[instance])
    cloud.await_state(instance, "terminated")
    wanted = {"ImageId": cloud.image({}), "SubnetId": cloud.subnet, "PrivateIpAddress": address}
    cloud.ec2.run_instances(**wanted, MinCount=1, MaxCount=1)

    Records(cloud.settings.region).forget(instance)

    with pytest.raises(ClientError, match="InvalidInstanceID"):
        cloud.instance(instance)
    with pytest.raises(ClientError, match="IP already in use"):
        cloud.ec2.run_instances(**wanted, MinCount=1, MaxCount=1)


def test_the_status_of_a_running_instance_is_ok(cloud: Cloud) -> None:
    instance = cloud.run(cloud.image({}))
    cloud.await_state(instance, "running")

    (status,) = cloud.ec2.describe_instance_status(InstanceIds=[instance])["InstanceStatuses"]

    assert status["InstanceState"]["Name"] == "running"
    assert status["InstanceStatus"]["Status"] == "ok"
