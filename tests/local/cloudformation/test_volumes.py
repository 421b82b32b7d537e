"""AWS::EC2::Volume: it outlives its stack when told so, and grows in place."""

from __future__ import annotations

import pytest

from tests.local.cloudformation.stacks import Stacks

pytestmark = pytest.mark.cloud

DATA = """
Parameters: {Size: {Type: Number, Default: 20}}
Resources:
  Data:
    Type: AWS::EC2::Volume
    DeletionPolicy: Retain
    Properties:
      AvailabilityZone: us-east-1b
      Size: !Ref Size
      VolumeType: gp3
      Encrypted: true
      Tags: [{Key: "tyrell:volume", Value: metrics}]
Outputs: {Volume: {Value: !GetAtt Data.VolumeId}}
"""


def test_a_volume_is_as_its_template_says_grows_in_place_and_is_retained(stacks: Stacks) -> None:
    ec2 = stacks.client("ec2")
    stack = stacks.create(DATA)
    volume = stacks.outputs(stack)["Volume"]
    stacks.update(stack, DATA, given={"Size": "40"})
    assert stacks.delete(stack) == "DELETE_COMPLETE"

    (seen,) = ec2.describe_volumes(Filters=[{"Name": "tag:tyrell:volume", "Values": ["metrics"]}])["Volumes"]
    assert seen["VolumeId"] == volume
    assert (seen["State"], seen["Size"], seen["VolumeType"]) == ("available", 40, "gp3")
    assert seen["Encrypted"]
    assert seen["AvailabilityZone"] == "us-east-1b"
    ec2.delete_volume(VolumeId=volume)
