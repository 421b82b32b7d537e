"""Deleting stacks."""

from __future__ import annotations

import pytest
from botocore.exceptions import ClientError

from tests.local.cloudformation.stacks import Stacks, chain, unique

BUCKET = """
Resources:
  Bucket: {Type: AWS::S3::Bucket}
  Queue: {Type: AWS::SQS::Queue}
Outputs:
  Bucket: {Value: !Ref Bucket}
"""


def test_a_deleted_stack_answers_to_its_id_and_not_to_its_name(stacks: Stacks) -> None:
    name = unique()
    stack_id = stacks.create(BUCKET, name)
    assert stacks.delete(stack_id) == "DELETE_COMPLETE"
    assert "DeletionTime" in stacks.describe(stack_id)
    with pytest.raises(ClientError, match=rf"ValidationError.*Stack with id {name} does not exist"):
        stacks.describe(name)


def test_deleting_what_does_not_exist_is_no_error(stacks: Stacks) -> None:
    stacks.cloudformation.delete_stack(StackName=unique())
    stack_id = stacks.create(BUCKET)
    assert stacks.delete(stack_id) == "DELETE_COMPLETE"
    assert stacks.delete(stack_id) == "DELETE_COMPLETE"
    assert stacks.statuses(stack_id).count("DELETE_COMPLETE") == 1


def test_a_resource_that_is_gone_already_is_deleted(stacks: Stacks) -> None:
    stack_id = stacks.create(BUCKET)
    stacks.client("s3").delete_bucket(Bucket=stacks.outputs(stack_id)["Bucket"])
    assert stacks.delete(stack_id) == "DELETE_COMPLETE"


def test_a_full_bucket_fails_the_delete_until_it_is_retained(stacks: Stacks) -> None:
    stack_id = stacks.create(BUCKET)
    s3, bucket = stacks.client("s3"), stacks.outputs(stack_id)["Bucket"]
    s3.put_object(Bucket=bucket, Key="reading", Body=b"21")
    assert stacks.delete(stack_id) == "DELETE_FAILED"
    assert stacks.events(stack_id)[-1][1] == "The following resource(s) failed to delete: [Bucket]."
    assert "BucketNotEmpty" in stacks.events(stack_id, "Bucket")[-1][1]
    assert stacks.delete(stack_id, RetainResources=["Bucket"]) == "DELETE_COMPLETE"
    assert stacks.statuses(stack_id, "Bucket")[-1] == "DELETE_SKIPPED"
    s3.delete_object(Bucket=bucket, Key="reading")
    s3.delete_bucket(Bucket=bucket)


def test_retain_resources_is_only_for_a_failed_delete(stacks: Stacks) -> None:
    stack_id = stacks.create(BUCKET)
    with pytest.raises(ClientError, match="DELETE_FAILED"):
        stacks.delete(stack_id, RetainResources=["Bucket"])


def test_a_retained_resource_survives_its_stack(stacks: Stacks) -> None:
    stack_id = stacks.create("Resources: {Bucket: {Type: AWS::S3::Bucket, DeletionPolicy: Retain}}")
    bucket = stacks.physical_id(stack_id, "Bucket")
    assert stacks.delete(stack_id) == "DELETE_COMPLETE"
    assert stacks.statuses(stack_id, "Bucket")[-1] == "DELETE_SKIPPED"
    stacks.client("s3").delete_bucket(Bucket=bucket)


@pytest.mark.parametrize(("policy", "survives"), [("Retain", True), ("RetainExceptOnCreate", False)])
def test_the_policy_says_whether_a_failed_creation_retains(stacks: Stacks, policy: str, *, survives: bool) -> None:
    stack_id = stacks.create(
        f"""
        Resources:
          Bucket: {{Type: AWS::S3::Bucket, DeletionPolicy: {policy}}}
          Broken: {{Type: AWS::EC2::VPC, DependsOn: Bucket}}
        """
    )
    last = stacks.statuses(stack_id, "Bucket")[-1]
    assert last == ("DELETE_SKIPPED" if survives else "DELETE_COMPLETE")


def test_a_protected_stack_is_not_deleted(stacks: Stacks) -> None:
    stack_id = stacks.create(BUCKET, EnableTerminationProtection=True)
    with pytest.raises(ClientError, match="cannot be deleted while TerminationProtection is enabled"):
        stacks.delete(stack_id)
    stacks.cloudformation.update_termination_protection(StackName=stack_id, EnableTerminationProtection=False)
    assert stacks.delete(stack_id) == "DELETE_COMPLETE"


def test_a_stack_in_progress_refuses_other_changes_by_its_status(stacks: Stacks) -> None:
    stack_id = stacks.begin(chain(16))
    with pytest.raises(ClientError, match=r"ValidationError.*CREATE_IN_PROGRESS"):
        stacks.update(stack_id, BUCKET)
    with pytest.raises(ClientError, match=r"ValidationError.*CREATE_IN_PROGRESS"):
        stacks.delete(stack_id)
    stacks.settle(stack_id)
    stacks.cloudformation.delete_stack(StackName=stack_id)
    with pytest.raises(ClientError, match=r"ValidationError.*DELETE_IN_PROGRESS"):
        stacks.update(stack_id, BUCKET)
