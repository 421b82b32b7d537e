"""Updating stacks: in place, by replacement, and back again when it fails."""

from __future__ import annotations

import pytest
from botocore.exceptions import ClientError

from tests.local.cloudformation.stacks import Stacks, chain, unique

QUEUE = """
Parameters:
  Timeout: {Type: Number, Default: 30}
Resources:
  Queue: {Type: AWS::SQS::Queue, Properties: {VisibilityTimeout: !Ref Timeout}}
Outputs:
  Url: {Value: !Ref Queue}
"""
SETTING = """
Parameters:
  Kind: {Type: String, Default: String}
  Text: {Type: String, Default: one}
Resources:
  Setting:
    Type: AWS::SSM::Parameter
    Properties: {Type: !Ref Kind, Value: !Ref Text}
  Copy: {Type: AWS::SSM::Parameter, Properties: {Type: String, Value: !Ref Setting}}
"""
BROKEN = "  Broken: {Type: AWS::EC2::Subnet, DependsOn: %s, Properties: {VpcId: vpc-0, CidrBlock: 127.32.0.0/24}}\n"


def timeout_of(stacks: Stacks, url: str) -> str:
    found = stacks.client("sqs").get_queue_attributes(QueueUrl=url, AttributeNames=["VisibilityTimeout"])
    return str(found["Attributes"]["VisibilityTimeout"])


def parameter_value(stacks: Stacks, name: str) -> str:
    return str(stacks.client("ssm").get_parameter(Name=name)["Parameter"]["Value"])


def test_a_mutable_property_changes_in_place(stacks: Stacks) -> None:
    stack_id = stacks.create(QUEUE)
    url = stacks.outputs(stack_id)["Url"]
    assert stacks.update(stack_id, QUEUE, {"Timeout": "45"}) == "UPDATE_COMPLETE"
    assert stacks.outputs(stack_id)["Url"] == url
    assert timeout_of(stacks, url) == "45"
    assert stacks.statuses(stack_id)[2:] == [
        "UPDATE_IN_PROGRESS",
        "UPDATE_COMPLETE_CLEANUP_IN_PROGRESS",
        "UPDATE_COMPLETE",
    ]
    assert stacks.statuses(stack_id, "Queue")[2:] == ["UPDATE_IN_PROGRESS", "UPDATE_COMPLETE"]
    assert "LastUpdatedTime" in stacks.describe(stack_id)


def test_a_fixed_property_replaces_the_resource_and_what_refers_to_it_follows(stacks: Stacks) -> None:
    stack_id = stacks.create(SETTING)
    before, copy = stacks.physical_id(stack_id, "Setting"), stacks.physical_id(stack_id, "Copy")
    assert stacks.update(stack_id, SETTING, {"Kind": "StringList"}) == "UPDATE_COMPLETE"
    after = stacks.physical_id(stack_id, "Setting")
    assert after != before
    assert stacks.physical_id(stack_id, "Copy") == copy
    assert parameter_value(stacks, copy) == after
    with pytest.raises(ClientError, match="ParameterNotFound"):
        parameter_value(stacks, before)
    assert stacks.statuses(stack_id, "Setting")[2:] == [
        "UPDATE_IN_PROGRESS",
        "UPDATE_COMPLETE",
        "DELETE_IN_PROGRESS",
        "DELETE_COMPLETE",
    ]


def test_a_replaced_resource_with_that_policy_is_retained(stacks: Stacks) -> None:
    body = SETTING.replace(
        "    Type: AWS::SSM::Parameter\n", "    Type: AWS::SSM::Parameter\n    UpdateReplacePolicy: Retain\n"
    )
    stack_id = stacks.create(body)
    before = stacks.physical_id(stack_id, "Setting")
    stacks.update(stack_id, body, {"Kind": "StringList"})
    assert parameter_value(stacks, before) == "one"
    assert "DELETE_SKIPPED" in stacks.statuses(stack_id, "Setting")


def test_a_resource_with_a_name_of_its_own_is_not_replaced(stacks: Stacks) -> None:
    body = SETTING.replace("{Type: !Ref Kind,", f"{{Name: {unique('setting')}, Type: !Ref Kind,")
    stack_id = stacks.create(body)
    assert stacks.update(stack_id, body, {"Kind": "StringList"}) == "UPDATE_ROLLBACK_COMPLETE"
    assert any("custom-named resource requires replacing" in reason for _, reason in stacks.events(stack_id, "Setting"))


def test_resources_come_and_go_with_the_template(stacks: Stacks) -> None:
    stack_id = stacks.create(SETTING)
    setting = stacks.physical_id(stack_id, "Setting")
    assert stacks.update(stack_id, "Resources: {Other: {Type: AWS::SQS::Queue}}") == "UPDATE_COMPLETE"
    found = stacks.cloudformation.list_stack_resources(StackName=stack_id)["StackResourceSummaries"]
    assert [resource["LogicalResourceId"] for resource in found] == ["Other"]
    with pytest.raises(ClientError, match="ParameterNotFound"):
        parameter_value(stacks, setting)


def test_nothing_to_update_is_an_error(stacks: Stacks) -> None:
    stack_id = stacks.create(QUEUE)
    with pytest.raises(ClientError, match=r"ValidationError.*No updates are to be performed\."):
        stacks.update(stack_id, QUEUE)
    assert stacks.describe(stack_id)["StackStatus"] == "CREATE_COMPLETE"


def test_previous_template_and_values_can_be_used_again(stacks: Stacks) -> None:
    stack_id = stacks.create(SETTING, given={"Text": "two"})
    stacks.cloudformation.update_stack(
        StackName=stack_id,
        UsePreviousTemplate=True,
        Parameters=[
            {"ParameterKey": "Text", "UsePreviousValue": True},
            {"ParameterKey": "Kind", "ParameterValue": "StringList"},
        ],
    )
    assert stacks.settle(stack_id) == "UPDATE_COMPLETE"
    assert parameter_value(stacks, stacks.physical_id(stack_id, "Setting")) == "two"


def test_a_failed_update_puts_everything_back(stacks: Stacks) -> None:
    stack_id = stacks.create(SETTING)
    setting, copy = stacks.physical_id(stack_id, "Setting"), stacks.physical_id(stack_id, "Copy")
    changed = f"{SETTING}  Extra: {{Type: AWS::SQS::Queue}}\n{BROKEN % '[Copy, Extra]'}"
    assert stacks.update(stack_id, changed, {"Kind": "StringList", "Text": "two"}) == "UPDATE_ROLLBACK_COMPLETE"
    assert stacks.statuses(stack_id)[2:] == [
        "UPDATE_IN_PROGRESS",
        "UPDATE_ROLLBACK_IN_PROGRESS",
        "UPDATE_ROLLBACK_COMPLETE_CLEANUP_IN_PROGRESS",
        "UPDATE_ROLLBACK_COMPLETE",
    ]
    assert stacks.events(stack_id)[3][1] == "The following resource(s) failed to create: [Broken]."
    assert stacks.physical_id(stack_id, "Setting") == setting
    assert parameter_value(stacks, setting) == "one"
    assert parameter_value(stacks, copy) == setting
    found = stacks.cloudformation.list_stack_resources(StackName=stack_id)["StackResourceSummaries"]
    assert sorted(resource["LogicalResourceId"] for resource in found) == ["Copy", "Setting"]
    assert stacks.statuses(stack_id, "Extra")[-1] == "DELETE_COMPLETE"


def test_after_a_rollback_the_stack_is_still_what_it_was(stacks: Stacks) -> None:
    stack_id = stacks.create(SETTING)
    stacks.update(stack_id, f"{SETTING}{BROKEN % 'Copy'}", {"Text": "two"})
    assert {one["ParameterKey"]: one["ParameterValue"] for one in stacks.describe(stack_id)["Parameters"]} == {
        "Kind": "String",
        "Text": "one",
    }
    with pytest.raises(ClientError, match="No updates are to be performed"):
        stacks.update(stack_id, SETTING)
    assert stacks.update(stack_id, SETTING, {"Text": "three"}) == "UPDATE_COMPLETE"


def test_a_cancelled_update_rolls_back(stacks: Stacks) -> None:
    stack_id = stacks.create(chain(1))
    stacks.cloudformation.update_stack(StackName=stack_id, TemplateBody=chain(60))
    stacks.cloudformation.cancel_update_stack(StackName=stack_id)
    assert stacks.settle(stack_id) == "UPDATE_ROLLBACK_COMPLETE"
    found = stacks.cloudformation.list_stack_resources(StackName=stack_id)["StackResourceSummaries"]
    assert [resource["LogicalResourceId"] for resource in found] == ["Gateway0"]
    with pytest.raises(ClientError, match="cannot be called from current stack status UPDATE_ROLLBACK_COMPLETE"):
        stacks.cloudformation.cancel_update_stack(StackName=stack_id)


def test_a_logical_id_keeps_its_type(stacks: Stacks) -> None:
    stack_id = stacks.create(QUEUE)
    with pytest.raises(ClientError, match=r"Update of resource type is not permitted.*\[Queue\]"):
        stacks.update(stack_id, "Resources: {Queue: {Type: AWS::S3::Bucket}}")


def test_stack_tags_reach_existing_resources(stacks: Stacks) -> None:
    stack_id = stacks.create(QUEUE, Tags=[{"Key": "tyrell:stack", "Value": "blue"}])
    url = stacks.outputs(stack_id)["Url"]
    assert stacks.update(stack_id, QUEUE, Tags=[{"Key": "tyrell:stack", "Value": "green"}]) == "UPDATE_COMPLETE"
    tags = stacks.client("sqs").list_queue_tags(QueueUrl=url)["Tags"]
    assert tags["tyrell:stack"] == "green"
    assert tags["aws:cloudformation:logical-id"] == "Queue"
    assert tags["aws:cloudformation:stack-id"] == stack_id


ROLE = """
Resources:
  Role:
    Type: AWS::IAM::Role
    Properties:
      AssumeRolePolicyDocument:
        Version: 2012-10-17
        Statement: [{Effect: Allow, Principal: {Service: ec2.amazonaws.com}, Action: sts:AssumeRole}]
"""
POLICIES = """
      Policies:
        - PolicyName: good
          PolicyDocument: {Version: 2012-10-17, Statement: [{Effect: Allow, Action: s3:*, Resource: "*"}]}
        - PolicyName: wrong
          PolicyDocument: {Version: 1812-10-17}
        - PolicyName: never
          PolicyDocument: {Version: 2012-10-17, Statement: [{Effect: Allow, Action: s3:*, Resource: "*"}]}
"""


def test_a_resource_that_fails_half_way_is_put_back_whole(stacks: Stacks) -> None:
    stack_id = stacks.create(ROLE)
    role = stacks.physical_id(stack_id, "Role")
    assert stacks.update(stack_id, ROLE.rstrip() + POLICIES) == "UPDATE_ROLLBACK_COMPLETE"
    assert any("MalformedPolicyDocument" in reason for _, reason in stacks.events(stack_id, "Role"))
    assert stacks.client("iam").list_role_policies(RoleName=role)["PolicyNames"] == []


def test_a_resource_that_fails_half_way_is_deleted_by_the_rollback(stacks: Stacks) -> None:
    stack_id = stacks.create(ROLE.rstrip() + POLICIES)
    assert stacks.describe(stack_id)["StackStatus"] == "ROLLBACK_COMPLETE"
    with pytest.raises(ClientError, match="NoSuchEntity"):
        stacks.client("iam").get_role(RoleName=stacks.physical_id(stack_id, "Role"))
