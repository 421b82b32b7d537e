"""A stack is updated by a change set, against the embedded CloudFormation: what it says is done, or nothing is."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tasks.applying import apply_stack
from tasks.change_sets import (
    NAME,
    Change,
    ChangeSet,
    check_keeps,
    delete_change_set,
    execute_change_set,
    make_change_set,
)
from tasks.errors import StackFailed, UsageError, WouldLose
from tasks.stacks import Blueprint, CfnStack, find_stack
from tests.local.cloudformation.stacks import Stacks, unique
from tests.tasks.own_cloudformation import own_cloudformation
from tyrell.local.faults.model import CallFault
from tyrell.local.faults.switches import Switches

BODY = """
Resources:
  Events:
    Type: AWS::SQS::Queue
    Properties: {VisibilityTimeout: 30}
  Bucket:
    Type: AWS::S3::Bucket
    DeletionPolicy: Retain
    UpdateReplacePolicy: Retain
  Gate:
    Type: AWS::EC2::SecurityGroup
    Properties: {GroupDescription: a gate}
  Web:
    Type: AWS::EC2::SecurityGroupIngress
    Properties: {GroupId: !GetAtt Gate.GroupId, IpProtocol: tcp, FromPort: 80, ToPort: 80, CidrIp: 10.0.0.0/8}
"""
RENAMED = BODY.replace("VisibilityTimeout: 30", "VisibilityTimeout: 30, QueueName: events")
WITHOUT_BUCKET = BODY.replace(BODY[BODY.index("  Bucket:") : BODY.index("  Gate:")], "")
LONGER = BODY.replace("VisibilityTimeout: 30", "VisibilityTimeout: 60")


@pytest.fixture(scope="module")
def faults() -> Switches:
    """What goes wrong in the cloud."""
    return Switches()


@pytest.fixture(scope="module")
def stacks(tmp_path_factory: pytest.TempPathFactory, faults: Switches) -> Iterator[Stacks]:
    """The cloud that this process is led to, seen from the other side."""
    with own_cloudformation(tmp_path_factory.mktemp("cloudformation"), faults) as stacks:
        yield stacks


@pytest.fixture
def name(stacks: Stacks) -> str:
    """A stack made of BODY."""
    name = unique()
    assert apply_stack.fn(blueprint(name, BODY)) == (f"created stack {name}",)
    return name


def blueprint(name: str, body: str) -> Blueprint:
    return Blueprint(name=name, template=body, tags={"tyrell:kind": "base"})


def found(name: str) -> CfnStack:
    stack = find_stack(name)
    assert stack
    return stack


def proposed(name: str, body: str) -> ChangeSet:
    change_set = make_change_set.fn(found(name), blueprint(name, body))
    assert change_set
    return change_set


def changes(name: str, body: str) -> dict[str, Change]:
    return {change.logical_id: change for change in proposed(name, body).changes}


def left_over(stacks: Stacks, name: str) -> list[str]:
    listed = stacks.cloudformation.list_change_sets(StackName=name)["Summaries"]
    return [each["ChangeSetName"] for each in listed if each["ExecutionStatus"] != "EXECUTE_COMPLETE"]


def test_a_stack_that_is_as_wanted_has_no_change_set_and_none_is_left(stacks: Stacks, name: str) -> None:
    assert make_change_set.fn(found(name), blueprint(name, BODY)) is None
    assert apply_stack.fn(blueprint(name, BODY)) == ()
    assert left_over(stacks, name) == []


def test_a_change_in_place_is_told_and_done(stacks: Stacks, name: str) -> None:
    change_set = proposed(name, LONGER)
    (change,) = change_set.changes
    assert (change.loses, change.told) == (False, "changed in place because of VisibilityTimeout")
    check_keeps(change_set.changes, (), "")
    assert execute_change_set.fn(change_set) == (f"updated stack {name}",)
    url = stacks.physical_id(name, "Events")
    got = stacks.client("sqs").get_queue_attributes(QueueUrl=url, AttributeNames=["VisibilityTimeout"])
    assert got["Attributes"] == {"VisibilityTimeout": "60"}


@pytest.mark.parametrize(
    ("body", "lost", "told"),
    [
        (RENAMED, "Events", "replaced because of QueueName"),
        (WITHOUT_BUCKET, "Bucket", "not in the template any more (what it holds is kept, outside the stack)"),
    ],
)
def test_what_would_be_lost_is_refused_and_the_world_is_as_before(
    stacks: Stacks, name: str, body: str, lost: str, told: str
) -> None:
    before = stacks.physical_id(name, lost)
    with pytest.raises(WouldLose, match="name it") as refusal:
        apply_stack.fn(blueprint(name, body), "name it")
    assert refusal.value.losses == {lost: told}
    assert stacks.physical_id(name, lost) == before
    assert left_over(stacks, name) == []
    assert stacks.statuses(name)[-1] == "CREATE_COMPLETE"


def test_what_was_named_may_go_and_nothing_else(name: str) -> None:
    both = proposed(name, WITHOUT_BUCKET.replace("VisibilityTimeout: 30", "QueueName: others")).changes
    check_keeps(both, ("Events", "Bucket"), "")
    with pytest.raises(WouldLose) as refusal:
        check_keeps(both, ("Events",), "")
    assert set(refusal.value.losses) == {"Bucket"}


def test_a_rule_of_a_security_group_is_replaced_without_being_named_but_not_removed(name: str) -> None:
    wider = changes(name, BODY.replace("10.0.0.0/8", "0.0.0.0/0"))["Web"]
    assert (wider.replacement, wider.loses) == ("True", False)
    gone = changes(name, BODY[: BODY.index("  Web:")])["Web"]
    assert (gone.action, gone.loses) == ("Remove", True)


def test_whatever_depends_on_what_is_replaced_is_perhaps_replaced_too(name: str) -> None:
    seen = changes(name, BODY.replace("a gate", "another gate"))
    assert (seen["Gate"].replacement, seen["Gate"].loses) == ("True", True)
    assert seen["Web"].told == "perhaps replaced because of GroupId"


def test_a_change_set_that_a_killed_run_has_left_makes_way(stacks: Stacks, name: str) -> None:
    left = proposed(name, RENAMED)
    assert left_over(stacks, name) == [NAME]
    assert apply_stack.fn(blueprint(name, LONGER)) == (f"updated stack {name}",)
    delete_change_set(left)
    assert left_over(stacks, name) == []


def test_a_change_set_that_is_not_found_yet_is_waited_for(stacks: Stacks, name: str, faults: Switches) -> None:
    given = faults.add(CallFault(kind="not-found", call="cloudformation.CreateChangeSet", seconds=0.5))
    assert apply_stack.fn(blueprint(name, LONGER)) == (f"updated stack {name}",)
    (cleared,) = faults.clear(given.id)
    assert cleared.struck


def test_an_update_that_is_under_way_is_waited_for(stacks: Stacks, name: str) -> None:
    stacks.cloudformation.execute_change_set(ChangeSetName=proposed(name, LONGER).id)
    assert apply_stack.fn(blueprint(name, LONGER)) == ()
    assert stacks.describe(name)["StackStatus"] == "UPDATE_COMPLETE"


def test_an_update_that_cloudformation_takes_back_is_told_with_the_reason_of_this_update_only(
    stacks: Stacks, name: str
) -> None:
    taken, other = unique("taken"), unique("other")
    for each in (taken, other):
        stacks.client("sqs").create_queue(QueueName=each, Attributes={"VisibilityTimeout": "1"})
    for each in (taken, other):
        body = BODY + f"  Second: {{Type: AWS::SQS::Queue, Properties: {{QueueName: {each}, VisibilityTimeout: 2}}}}"
        with pytest.raises(StackFailed) as failure:
            apply_stack.fn(blueprint(name, body))
        assert failure.value.status == "UPDATE_ROLLBACK_COMPLETE"
        (reason,) = failure.value.reasons
        assert reason.startswith("Second: ")
        assert "exist" in reason
    assert apply_stack.fn(blueprint(name, LONGER)) == (f"updated stack {name}",)


def test_a_template_that_cannot_be_is_told_and_changes_nothing(stacks: Stacks, name: str) -> None:
    with pytest.raises(Exception, match="Update of resource type is not permitted"):
        apply_stack.fn(
            blueprint(
                name,
                BODY.replace("AWS::SQS::Queue", "AWS::S3::Bucket").replace("Properties: {VisibilityTimeout: 30}", ""),
            )
        )
    assert stacks.statuses(name)[-1] == "CREATE_COMPLETE"


def test_a_stack_of_another_kind_is_left_alone(stacks: Stacks, name: str) -> None:
    foreign = Blueprint(name=name, template=LONGER, tags={"tyrell:kind": "network"})
    with pytest.raises(UsageError, match=f"stack name {name} is taken by a stack that is no network of Tyrell's"):
        apply_stack.fn(foreign)
