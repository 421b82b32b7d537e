"""Creating stacks: what is made, what is said on the way, and what is left when it fails."""

from __future__ import annotations

import pytest
from botocore.exceptions import ClientError

from tests.local.cloudformation.stacks import Stacks, chain, template, unique
from tyrell.local.cloudformation.requests import read_revision

QUEUE = "Resources: {Queue: {Type: AWS::SQS::Queue}}"
NO_SUCH_VPC = """
Resources:
  First: {Type: AWS::SQS::Queue}
  Broken:
    Type: AWS::EC2::Subnet
    DependsOn: First
    Properties: {VpcId: vpc-00000000, CidrBlock: 127.32.0.0/24}
  Never: {Type: AWS::SQS::Queue, DependsOn: Broken}
"""


def test_create_stack_answers_before_the_work_is_done(stacks: Stacks) -> None:
    stack_id = stacks.begin(chain(8))
    assert stacks.describe(stack_id)["StackStatus"] == "CREATE_IN_PROGRESS"
    assert stacks.settle(stack_id) == "CREATE_COMPLETE"


def test_every_resource_reports_its_beginning_and_its_end(stacks: Stacks) -> None:
    stack_id = stacks.create(QUEUE)
    assert stacks.events(stack_id) == [("CREATE_IN_PROGRESS", "User Initiated"), ("CREATE_COMPLETE", "")]
    assert stacks.events(stack_id, "Queue") == [
        ("CREATE_IN_PROGRESS", ""),
        ("CREATE_IN_PROGRESS", "Resource creation Initiated"),
        ("CREATE_COMPLETE", ""),
    ]


def test_a_failed_resource_rolls_the_stack_back_and_says_why(stacks: Stacks) -> None:
    stack_id = stacks.create(NO_SUCH_VPC)
    assert stacks.statuses(stack_id) == ["CREATE_IN_PROGRESS", "ROLLBACK_IN_PROGRESS", "ROLLBACK_COMPLETE"]
    assert stacks.events(stack_id)[1][1] == (
        "The following resource(s) failed to create: [Broken]. Rollback requested by user."
    )
    status, reason = stacks.events(stack_id, "Broken")[-1]
    assert status == "CREATE_FAILED"
    assert "vpc-00000000" in reason
    assert "InvalidVpcID.NotFound" in reason
    assert stacks.statuses(stack_id, "First")[-1] == "DELETE_COMPLETE"
    assert stacks.events(stack_id, "Never") == []


def test_a_rolled_back_stack_leaves_no_resource(stacks: Stacks) -> None:
    name = unique()
    stacks.create(NO_SUCH_VPC, name)
    assert "QueueUrls" not in stacks.client("sqs").list_queues(QueueNamePrefix=f"{name}-First")


def test_a_rolled_back_stack_can_only_be_deleted(stacks: Stacks) -> None:
    stack_id = stacks.create(NO_SUCH_VPC)
    with pytest.raises(ClientError, match="is in ROLLBACK_COMPLETE state and can not be updated"):
        stacks.update(stack_id, QUEUE)
    assert stacks.delete(stack_id) == "DELETE_COMPLETE"


def test_siblings_of_a_failed_resource_are_cancelled(stacks: Stacks) -> None:
    # the bucket takes many calls, the failure comes after one
    slow = template("base.yaml").split("  Bucket:\n")[1].split("  BucketPolicy:")[0]
    body = NO_SUCH_VPC.replace("{Type: AWS::SQS::Queue}", "{Type: AWS::EC2::InternetGateway}", 1)
    stack_id = stacks.create(f"{body}  Bucket:\n{slow}")
    assert ("CREATE_FAILED", "Resource creation cancelled") in stacks.events(stack_id, "Bucket")
    assert stacks.statuses(stack_id, "Bucket")[-1] == "DELETE_COMPLETE"


def test_do_nothing_keeps_what_was_made(stacks: Stacks) -> None:
    stack_id = stacks.create(NO_SUCH_VPC, OnFailure="DO_NOTHING")
    assert stacks.statuses(stack_id) == ["CREATE_IN_PROGRESS", "CREATE_FAILED"]
    assert stacks.client("sqs").get_queue_attributes(QueueUrl=stacks.physical_id(stack_id, "First"))


def test_on_failure_delete_deletes_the_stack_itself(stacks: Stacks) -> None:
    name = unique()
    stack_id = stacks.create(NO_SUCH_VPC, name, OnFailure="DELETE")
    assert stacks.statuses(stack_id) == ["CREATE_IN_PROGRESS", "DELETE_IN_PROGRESS", "DELETE_COMPLETE"]
    with pytest.raises(ClientError, match=f"Stack with id {name} does not exist"):
        stacks.describe(name)


def test_a_creation_that_takes_too_long_is_rolled_back(stacks: Stacks) -> None:
    engine = stacks.engine
    stack = engine.new_stack(unique())
    stack.timeout_minutes = 0  # the API allows no less than one minute
    engine.create(stack, read_revision({"TemplateBody": QUEUE}, engine.cloud.read_ssm))
    assert stacks.settle(stack.id) == "ROLLBACK_COMPLETE"
    assert stacks.events(stack.id)[1] == (
        "ROLLBACK_IN_PROGRESS",
        "Stack creation time exceeded the specified timeout. Rollback requested by user.",
    )


def test_a_name_is_taken_until_its_stack_is_deleted(stacks: Stacks) -> None:
    name = unique()
    stack_id = stacks.create(QUEUE, name)
    with pytest.raises(ClientError, match=r"AlreadyExistsException.*already exists"):
        stacks.begin(QUEUE, name)
    stacks.delete(stack_id)
    assert stacks.create(QUEUE, name) != stack_id


def test_the_same_client_token_answers_the_same_stack(stacks: Stacks) -> None:
    name = unique()
    first = stacks.create(QUEUE, name, ClientRequestToken="run-1")
    assert stacks.create(QUEUE, name, ClientRequestToken="run-1") == first
    with pytest.raises(ClientError, match="already exists"):
        stacks.begin(QUEUE, name, ClientRequestToken="run-2")


def test_an_unsupported_property_fails_its_resource_by_name(stacks: Stacks) -> None:
    stack_id = stacks.create("Resources: {Jobs: {Type: AWS::SQS::Queue, Properties: {FifoThroughputLimit: perQueue}}}")
    assert stacks.events(stack_id, "Jobs")[-1] == (
        "CREATE_FAILED",
        "Encountered unsupported property FifoThroughputLimit (resource Jobs of type AWS::SQS::Queue)",
    )


def test_an_unknown_member_of_a_property_fails_its_resource_by_name(stacks: Stacks) -> None:
    data = "{LaunchTemplateData: {ImageId: ami-12345678, ImageColor: red}}"
    stack_id = stacks.create(f"Resources: {{It: {{Type: AWS::EC2::LaunchTemplate, Properties: {data}}}}}")
    assert stacks.events(stack_id, "It")[-1][1].startswith("Encountered unsupported property ImageColor")


def test_a_missing_required_property_fails_its_resource_by_name(stacks: Stacks) -> None:
    stack_id = stacks.create("Resources: {Net: {Type: AWS::EC2::VPC}}")
    assert "required key [CidrBlock] not found" in stacks.events(stack_id, "Net")[-1][1]


@pytest.mark.parametrize(
    ("properties", "given", "needed"),
    [("", [], "CAPABILITY_IAM"), ("RoleName: mine,", ["CAPABILITY_IAM"], "CAPABILITY_NAMED_IAM")],
)
def test_iam_resources_must_be_acknowledged(stacks: Stacks, properties: str, given: list[str], needed: str) -> None:
    role = f"{{Type: AWS::IAM::Role, Properties: {{{properties} AssumeRolePolicyDocument: {{}}}}}}"
    with pytest.raises(ClientError, match=rf"InsufficientCapabilitiesException.*\[{needed}\]"):
        stacks.cloudformation.create_stack(
            StackName=unique(), TemplateBody=f"Resources: {{Role: {role}}}", Capabilities=given
        )
