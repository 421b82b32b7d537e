"""A stack is brought to what it should be from whatever status it is found in, on the embedded CloudFormation."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import botocore.session
import pytest

from tasks import clients
from tasks.applying import apply_stack
from tasks.errors import StackFailed
from tasks.model import Changes
from tasks.stack_statuses import statuses
from tasks.stacks import Blueprint, find_stack
from tests.local.cloudformation.stacks import unique
from tests.tasks.own_cloudformation import own_cloudformation
from tyrell.local.cloudformation.engine import CloudFormation
from tyrell.local.faults.model import CallFault
from tyrell.local.faults.remote import add_fault, clear_faults, find_faults

GOOD = "Resources: {Queue: {Type: AWS::SQS::Queue}}"
BETTER = "Resources: {Queue: {Type: AWS::SQS::Queue}, Another: {Type: AWS::SQS::Queue}}"
BAD = "Resources: {Net: {Type: AWS::EC2::Subnet, Properties: {VpcId: vpc-00000000, CidrBlock: 127.39.0.0/24}}}"


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[CloudFormation]:
    """A CloudFormation, to which this process is led."""
    with own_cloudformation(tmp_path_factory.mktemp("stacks")) as stacks:
        yield stacks.engine


def applied(name: str, template: str = GOOD, kind: str = "version") -> Changes:
    """What changed."""
    return apply_stack.fn(Blueprint(name=name, template=template, tags={"tyrell:kind": kind}))


def left_failed(name: str, kind: str = "version") -> None:
    """Leave a stack whose creation failed, as a run that was killed at once would."""
    tags = [{"Key": "tyrell:kind", "Value": kind}]
    clients.cloudformation().create_stack(StackName=name, TemplateBody=BAD, Tags=tags)  # type: ignore[arg-type]


def test_the_table_has_every_status_of_cloudformation_once() -> None:
    status: Any = botocore.session.get_session().get_service_model("cloudformation").shape_for("StackStatus")
    table = statuses()
    rows = [*table.wait, *table.create, *table.update, *table.remake, *table.refuse]
    assert sorted(rows) == sorted(status.enum)


def test_a_stack_is_created_then_left_alone_then_updated(engine: CloudFormation) -> None:
    name = unique()
    assert applied(name) == (f"created stack {name}",)
    assert applied(name) == ()
    assert applied(name, BETTER) == (f"updated stack {name}",)


def test_a_creation_that_failed_says_why_and_leaves_nothing(engine: CloudFormation) -> None:
    name = unique()
    with pytest.raises(StackFailed, match=r"ROLLBACK_COMPLETE: Net: .*vpc-00000000"):
        applied(name, BAD)
    assert find_stack(name) is None


def test_one_that_failed_before_is_made_again_and_the_log_says_why_it_had_failed(
    engine: CloudFormation, caplog: pytest.LogCaptureFixture
) -> None:
    name = unique()
    left_failed(name)
    with caplog.at_level("INFO", "tasks.applying"):
        assert applied(name) == (f"created stack {name}",)
    assert "deleting what does not work" in caplog.text
    assert "vpc-00000000" in caplog.text


def test_a_base_stack_that_failed_is_left_to_a_person(engine: CloudFormation) -> None:
    name = unique()
    left_failed(name, "base")
    for template in (GOOD, BAD):
        with pytest.raises(StackFailed, match=r"vpc-00000000.*; a base stack is never deleted by itself"):
            applied(name, template, "base")
    assert (found := find_stack(name))
    assert found.status == "ROLLBACK_COMPLETE"


def test_a_stack_that_works_in_parts_is_refused_with_what_to_do(engine: CloudFormation) -> None:
    name = unique()
    applied(name)
    record = engine.store.find(name)
    record.status = "UPDATE_ROLLBACK_FAILED"
    with pytest.raises(StackFailed, match="continue-update-rollback"):
        applied(name)
    record.status = "CREATE_COMPLETE"


def test_a_stack_that_is_being_deleted_is_waited_for_and_made_again(engine: CloudFormation) -> None:
    name = unique()
    applied(name, BETTER)
    before = find_stack(name)
    clients.cloudformation().delete_stack(StackName=name)
    assert applied(name) == (f"created stack {name}",)
    after = find_stack(name)
    assert before
    assert after
    assert before.id != after.id


@pytest.mark.parametrize("kind", ["lost-answer", "throttling", "server-error", "not-found"])
def test_a_creation_that_is_disturbed_is_one_creation(engine: CloudFormation, kind: str) -> None:
    name = unique()
    fault = CallFault.model_validate({"kind": kind, "call": "cloudformation.CreateStack", "nth": 1, "seconds": 1})
    add_fault(engine.settings, fault)
    assert applied(name) == (f"created stack {name}",)
    assert [each.struck for each in find_faults(engine.settings)] == [("cloudformation.CreateStack",)]
    assert [stack.name for stack in engine.store.stacks()].count(name) == 1
    clear_faults(engine.settings)


@pytest.mark.parametrize("call", ["CreateChangeSet", "ExecuteChangeSet"])
def test_an_update_of_which_an_answer_gets_lost_is_one_update(engine: CloudFormation, call: str) -> None:
    name = unique()
    applied(name)
    add_fault(engine.settings, CallFault(kind="lost-answer", call=f"cloudformation.{call}", nth=1))
    assert applied(name, BETTER) == (f"updated stack {name}",)
    assert [each.struck for each in find_faults(engine.settings)] == [(f"cloudformation.{call}",)]
    clear_faults(engine.settings)
