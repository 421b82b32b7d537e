"""Tags that are looked up by the resource's id are the ones that EC2 has for it."""

from __future__ import annotations

import boto3
from moto import mock_aws

from tyrell.local.own_tags import make_tags_quick

REGION = "us-east-1"


@mock_aws
def test_a_resource_has_its_own_tags_and_no_others() -> None:
    make_tags_quick()
    ec2 = boto3.client("ec2", region_name=REGION, aws_access_key_id="test", aws_secret_access_key="test")
    made = [ec2.create_vpc(CidrBlock=f"10.{number}.0.0/16")["Vpc"]["VpcId"] for number in range(3)]
    ec2.create_tags(Resources=made[:2], Tags=[{"Key": "stack", "Value": "prod"}])
    ec2.create_tags(Resources=made[1:], Tags=[{"Key": "zone", "Value": "a"}])
    ec2.delete_tags(Resources=made[2:], Tags=[{"Key": "zone"}])
    tags = {vpc["VpcId"]: vpc["Tags"] for vpc in ec2.describe_vpcs(VpcIds=made)["Vpcs"]}
    told = {
        vpc: [
            {"Key": tag["Key"], "Value": tag["Value"]}
            for tag in ec2.describe_tags(Filters=[{"Name": "resource-id", "Values": [vpc]}])["Tags"]
        ]
        for vpc in made
    }
    assert tags == told
    assert [len(each) for each in tags.values()] == [1, 2, 0]
    by_tag = ec2.describe_vpcs(Filters=[{"Name": "tag:stack", "Values": ["prod"]}])["Vpcs"]
    assert {vpc["VpcId"] for vpc in by_tag} == set(made[:2])
