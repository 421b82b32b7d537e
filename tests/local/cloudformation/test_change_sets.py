"""Change sets: seeing what would change, then doing it or not."""

from __future__ import annotations

from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.local.cloudformation.stacks import Stacks, parameters, unique

BODY = """
Parameters:
  Kind: {Type: String, Default: String}
  Text: {Type: String, Default: one}
Resources:
  Setting: {Type: AWS::SSM::Parameter, Properties: {Type: !Ref Kind, Value: !Ref Text}}
  Copy: {Type: AWS::SSM::Parameter, Properties: {Type: String, Value: !Ref Setting}}
  Queue: {Type: AWS::SQS::Queue}
"""


def change_set(stacks: Stacks, stack: str, body: str, given: dict[str, str] | None = None, **options: Any) -> Any:
    """Create a change set and describe it."""
    made = stacks.cloudformation.create_change_set(
        StackName=stack, ChangeSetName="next", TemplateBody=body, Parameters=parameters(given or {}), **options
    )
    return stacks.cloudformation.describe_change_set(ChangeSetName=made["Id"])


def changes(described: Any) -> dict[str, tuple[str, str | None]]:
    found = [change["ResourceChange"] for change in described["Changes"]]
    return {change["LogicalResourceId"]: (change["Action"], change.get("Replacement")) for change in found}


def test_a_change_set_creates_a_stack(stacks: Stacks) -> None:
    name = unique()
    described = change_set(stacks, name, BODY, ChangeSetType="CREATE")
    assert stacks.describe(name)["StackStatus"] == "REVIEW_IN_PROGRESS"
    assert changes(described) == {"Setting": ("Add", None), "Copy": ("Add", None), "Queue": ("Add", None)}
    assert (described["Status"], described["ExecutionStatus"]) == ("CREATE_COMPLETE", "AVAILABLE")
    stacks.cloudformation.execute_change_set(ChangeSetName="next", StackName=name)
    assert stacks.settle(name) == "CREATE_COMPLETE"
    assert stacks.delete(described["StackId"]) == "DELETE_COMPLETE"


def test_an_in_place_change_names_its_property(stacks: Stacks) -> None:
    stack_id = stacks.create(BODY)
    described = change_set(stacks, stack_id, BODY, {"Text": "two"})
    assert changes(described) == {"Setting": ("Modify", "False")}
    detail = described["Changes"][0]["ResourceChange"]["Details"][0]
    assert detail["Target"] == {"Attribute": "Properties", "Name": "Value", "RequiresRecreation": "Never"}
    assert detail["Evaluation"] == "Static"


def test_a_replacement_shows_in_those_that_refer_to_it(stacks: Stacks) -> None:
    stack_id = stacks.create(BODY)
    described = change_set(stacks, stack_id, BODY, {"Kind": "StringList"})
    assert changes(described) == {"Setting": ("Modify", "True"), "Copy": ("Modify", "False")}
    copy = next(
        one["ResourceChange"] for one in described["Changes"] if one["ResourceChange"]["LogicalResourceId"] == "Copy"
    )
    assert copy["Details"][0]["Evaluation"] == "Dynamic"


def test_a_removed_resource_is_shown(stacks: Stacks) -> None:
    stack_id = stacks.create(BODY)
    body = BODY.replace("  Queue: {Type: AWS::SQS::Queue}\n", "")
    assert changes(change_set(stacks, stack_id, body)) == {"Queue": ("Remove", None)}


@pytest.mark.parametrize(
    ("policy", "removed", "replaced"),
    [("Delete", "Delete", "ReplaceAndDelete"), ("Retain", "Retain", "ReplaceAndRetain")],
)
def test_what_becomes_of_a_resource_that_goes_is_shown(
    stacks: Stacks, policy: str, removed: str, replaced: str
) -> None:
    queue = f"Type: AWS::SQS::Queue, DeletionPolicy: {policy}, UpdateReplacePolicy: {policy}"
    other = "Other: {Type: AWS::SSM::Parameter, Properties: {Type: String, Value: x}}"
    stack_id = stacks.create(f"Resources: {{Queue: {{{queue}}}, {other}}}")
    without = change_set(stacks, stack_id, f"Resources: {{{other}}}")
    assert without["Changes"][0]["ResourceChange"]["PolicyAction"] == policy
    stacks.cloudformation.delete_change_set(ChangeSetName=without["ChangeSetId"])
    renamed = change_set(stacks, stack_id, f"Resources: {{Queue: {{{queue}, Properties: {{QueueName: q}}}}, {other}}}")
    assert renamed["Changes"][0]["ResourceChange"]["PolicyAction"] == f"ReplaceAnd{policy}"


def test_tags_are_an_attribute_of_their_own(stacks: Stacks) -> None:
    body = "Resources: {Gateway: {Type: AWS::EC2::InternetGateway, Properties: {Tags: [{Key: a, Value: %s}]}}}"
    stack_id = stacks.create(body % "b")
    change = change_set(stacks, stack_id, body % "c")["Changes"][0]["ResourceChange"]
    assert (change["Scope"], change["Replacement"], "PolicyAction" in change) == (["Tags"], "False", False)
    assert change["Details"][0]["Target"] == {"Attribute": "Tags", "RequiresRecreation": "Never"}


def test_executing_it_again_with_the_same_token_is_the_same_call(stacks: Stacks) -> None:
    stack_id = stacks.create(BODY)
    described = change_set(stacks, stack_id, BODY, {"Text": "two"})
    for _ in range(2):
        stacks.cloudformation.execute_change_set(ChangeSetName=described["ChangeSetId"], ClientRequestToken="once")
    assert stacks.settle(stack_id) == "UPDATE_COMPLETE"
    assert stacks.statuses(stack_id).count("UPDATE_IN_PROGRESS") == 1
    with pytest.raises(ClientError, match="InvalidChangeSetStatus"):
        stacks.cloudformation.execute_change_set(ChangeSetName=described["ChangeSetId"], ClientRequestToken="twice")


def test_a_change_set_changes_nothing_until_it_is_executed(stacks: Stacks) -> None:
    stack_id = stacks.create(BODY)
    described = change_set(stacks, stack_id, BODY, {"Text": "two"})
    assert stacks.statuses(stack_id) == ["CREATE_IN_PROGRESS", "CREATE_COMPLETE"]
    stacks.cloudformation.execute_change_set(ChangeSetName=described["ChangeSetId"])
    assert stacks.settle(stack_id) == "UPDATE_COMPLETE"
    name = stacks.physical_id(stack_id, "Setting")
    assert stacks.client("ssm").get_parameter(Name=name)["Parameter"]["Value"] == "two"
    with pytest.raises(ClientError, match="InvalidChangeSetStatus"):
        stacks.cloudformation.execute_change_set(ChangeSetName=described["ChangeSetId"])


def test_a_change_set_without_changes_fails_and_says_so(stacks: Stacks) -> None:
    stack_id = stacks.create(BODY)
    described = change_set(stacks, stack_id, BODY)
    assert (described["Status"], described["ExecutionStatus"]) == ("FAILED", "UNAVAILABLE")
    assert described["StatusReason"].startswith("The submitted information didn't contain changes.")
    with pytest.raises(ClientError, match=r"cannot be executed in its current status of \[FAILED\]"):
        stacks.cloudformation.execute_change_set(ChangeSetName=described["ChangeSetId"])


def test_a_deleted_change_set_is_gone(stacks: Stacks) -> None:
    stack_id = stacks.create(BODY)
    change_set(stacks, stack_id, BODY, {"Text": "two"})
    listed = stacks.cloudformation.list_change_sets(StackName=stack_id)["Summaries"]
    assert [one["ChangeSetName"] for one in listed] == ["next"]
    stacks.cloudformation.delete_change_set(ChangeSetName="next", StackName=stack_id)
    with pytest.raises(ClientError, match="ChangeSetNotFound"):
        stacks.cloudformation.describe_change_set(ChangeSetName="next", StackName=stack_id)


def test_an_update_outdates_the_change_sets_before_it(stacks: Stacks) -> None:
    stack_id = stacks.create(BODY)
    described = change_set(stacks, stack_id, BODY, {"Text": "two"})
    stacks.update(stack_id, BODY, {"Text": "three"})
    with pytest.raises(ClientError, match="ChangeSetNotFound"):
        stacks.cloudformation.execute_change_set(ChangeSetName=described["ChangeSetId"])


def test_a_change_set_needs_the_stack_that_its_type_says(stacks: Stacks) -> None:
    name = unique()
    with pytest.raises(ClientError, match=f"Stack with id {name} does not exist"):
        change_set(stacks, name, BODY)
    stack_id = stacks.create(BODY, name)
    with pytest.raises(ClientError, match="already exists"):
        change_set(stacks, stack_id.split("/")[1], BODY, ChangeSetType="CREATE")
