"""The API itself: reading, pages, secrets, and errors instead of silence."""

from __future__ import annotations

import pytest
from botocore.exceptions import ClientError

from tests.local.cloudformation.stacks import Stacks, chain, unique

SECRET = """
Description: A stack with a secret
Parameters:
  Password: {Type: String, NoEcho: true, Description: never shown}
  Size: {Type: Number, Default: 2}
Conditions:
  Large: !Not [!Equals [!Ref Size, 2]]
Resources:
  Setting: {Type: AWS::SSM::Parameter, Properties: {Type: String, Value: !Ref Password}}
  Extra: {Type: AWS::SQS::Queue, Condition: Large}
Outputs:
  Extra: {Value: !Ref Extra, Condition: Large}
  Setting: {Value: !Ref Setting, Description: where it is}
"""


def test_an_operation_that_is_missing_is_a_clean_error_with_its_name(stacks: Stacks) -> None:
    with pytest.raises(ClientError, match=r"UnknownOperation.*DetectStackDrift") as error:
        stacks.cloudformation.detect_stack_drift(StackName="any")
    assert error.value.response["ResponseMetadata"]["HTTPStatusCode"] == 400


def test_an_option_that_is_missing_is_refused_by_name(stacks: Stacks) -> None:
    with pytest.raises(ClientError, match="NotificationARNs is not supported by the embedded cloud"):
        stacks.begin(chain(1), NotificationARNs=["arn:aws:sns:us-east-1:123456789012:news"])


def test_an_unknown_stack_is_a_validation_error(stacks: Stacks) -> None:
    name = unique()
    with pytest.raises(ClientError, match=rf"ValidationError.*Stack with id {name} does not exist"):
        stacks.describe(name)


def test_a_name_that_aws_refuses_is_refused(stacks: Stacks) -> None:
    with pytest.raises(ClientError, match=r"ValidationError.*'1-stack' at 'stackName'"):
        stacks.begin(SECRET, "1-stack", {"Password": "x"})


def test_secrets_are_masked(stacks: Stacks) -> None:
    stack_id = stacks.create(SECRET, given={"Password": "tell nobody"})
    shown = {one["ParameterKey"]: one["ParameterValue"] for one in stacks.describe(stack_id)["Parameters"]}
    assert shown == {"Password": "****", "Size": "2"}
    assert "tell nobody" not in str(stacks.cloudformation.describe_stack_events(StackName=stack_id))


def test_resources_and_outputs_follow_their_conditions(stacks: Stacks) -> None:
    stack_id = stacks.create(SECRET, given={"Password": "x"})
    assert stacks.outputs(stack_id).keys() == {"Setting"}
    assert stacks.update(stack_id, SECRET, {"Password": "x", "Size": "3"}) == "UPDATE_COMPLETE"
    assert stacks.outputs(stack_id).keys() == {"Setting", "Extra"}
    assert stacks.update(stack_id, SECRET, {"Password": "x"}) == "UPDATE_COMPLETE"
    assert stacks.statuses(stack_id, "Extra")[-1] == "DELETE_COMPLETE"


def test_the_template_comes_back_as_it_was_given(stacks: Stacks) -> None:
    stack_id = stacks.create(SECRET, given={"Password": "x"})
    assert stacks.cloudformation.get_template(StackName=stack_id)["TemplateBody"] == SECRET


def test_validate_template_tells_parameters_and_capabilities(stacks: Stacks) -> None:
    answer = stacks.cloudformation.validate_template(TemplateBody=SECRET)
    assert answer["Description"] == "A stack with a secret"
    assert answer["Parameters"] == [
        {"ParameterKey": "Password", "NoEcho": True, "Description": "never shown"},
        {"ParameterKey": "Size", "DefaultValue": "2", "NoEcho": False},
    ]
    with pytest.raises(ClientError, match=r"Unrecognized resource types: \[AWS::X::Y\]"):
        stacks.cloudformation.validate_template(TemplateBody="Resources: {A: {Type: AWS::X::Y}}")


def test_resources_are_found_by_stack_and_by_physical_id(stacks: Stacks) -> None:
    name = unique()
    stack_id = stacks.create(SECRET, name, {"Password": "x"})
    setting = stacks.outputs(stack_id)["Setting"]
    found = stacks.cloudformation.describe_stack_resources(PhysicalResourceId=setting)["StackResources"]
    assert [(one["StackName"], one["LogicalResourceId"], one["ResourceStatus"]) for one in found] == [
        (name, "Setting", "CREATE_COMPLETE")
    ]
    with pytest.raises(ClientError, match=f"Resource Other does not exist for stack {name}"):
        stacks.physical_id(name, "Other")


@pytest.mark.cloud
def test_long_listings_come_in_pages_newest_first(stacks: Stacks) -> None:
    stack_id = stacks.create(chain(34))
    first = stacks.cloudformation.describe_stack_events(StackName=stack_id)
    assert len(first["StackEvents"]) == 100
    assert first["StackEvents"][0]["ResourceStatus"] == "CREATE_COMPLETE"
    rest = stacks.cloudformation.describe_stack_events(StackName=stack_id, NextToken=first["NextToken"])
    assert len(rest["StackEvents"]) == 34 * 3 + 2 - 100
    assert rest["StackEvents"][-1]["ResourceStatusReason"] == "User Initiated"


def test_stacks_are_listed_by_status(stacks: Stacks) -> None:
    name = unique()
    stack_id = stacks.create(SECRET, name, {"Password": "x"})
    stacks.delete(stack_id)
    listing = stacks.cloudformation.get_paginator("list_stacks")
    deleted = listing.paginate(StackStatusFilter=["DELETE_COMPLETE"]).build_full_result()["StackSummaries"]
    assert stack_id in [stack["StackId"] for stack in deleted]
    described = stacks.cloudformation.get_paginator("describe_stacks").paginate().build_full_result()["Stacks"]
    assert stack_id not in [stack["StackId"] for stack in described]


@pytest.mark.cloud
def test_many_stacks_work_at_the_same_time(stacks: Stacks) -> None:
    ids = [stacks.begin(chain(4)) for _ in range(8)]
    assert {stacks.settle(stack_id) for stack_id in ids} == {"CREATE_COMPLETE"}
    gateways = {stacks.physical_id(stack_id, f"Gateway{number}") for stack_id in ids for number in range(4)}
    assert len(gateways) == 32
