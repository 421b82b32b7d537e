"""The CloudFormation template of flow workers: a role on AWS for each flow, with its policies and nothing else."""

from __future__ import annotations

from typing import Any

from cfnlint.decode.cfn_yaml import loads

from tasks.flow_policies import FOLDER, flow_policies, policy_document
from tasks.roles import load_role
from tasks.templates import version_template
from tests.rendered import rendered
from tyrell.flow_worker import HOOK, LOOK

INLINE = 51_200
"""Bytes of a template that is sent as it is.
https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/cloudformation-limits.html"""

ROLE = load_role("flow-worker")
BODY = loads(version_template(ROLE))
BASE = loads(rendered()["base.yaml"])


def resources(kind: str) -> dict[str, dict[str, Any]]:
    """The properties of every resource of that type, by logical id."""
    return {name: each["Properties"] for name, each in BODY["Resources"].items() if each["Type"] == kind}


def test_every_flow_has_a_role_with_the_policies_that_are_named_for_it() -> None:
    documents = {name: each["PolicyDocument"] for name, each in resources("AWS::IAM::ManagedPolicy").items()}
    held = {
        each["Description"].removeprefix("Runs of flow "): [documents[arn["Ref"]] for arn in each["ManagedPolicyArns"]]
        for each in resources("AWS::IAM::Role").values()
    }
    assert held == {flow: [policy_document(name) for name in names] for flow, names in flow_policies().items()}
    assert len(documents) == len(list(FOLDER.glob("*.json")))
    assert not [role for role in resources("AWS::IAM::Role").values() if "Policies" in role]


def test_only_the_machines_of_its_stack_may_take_a_role_and_they_may_take_no_other() -> None:
    for each in resources("AWS::IAM::Role").values():
        (statement,) = each["AssumeRolePolicyDocument"]["Statement"]
        assert statement["Principal"] == {"AWS": {"Fn::ImportValue": {"Fn::Sub": "${Stack}:FlowWorkerRole"}}}
        assert each["Path"] == {"Fn::Sub": "/tyrell/${Stack}/flow-worker/"}
    (policy,) = BASE["Resources"]["FlowWorkerRole"]["Properties"]["Policies"]
    taking = [each for each in policy["PolicyDocument"]["Statement"] if "sts:AssumeRole" in each["Action"]]
    mine = "arn:${AWS::Partition}:iam::${AWS::AccountId}:role/tyrell/${AWS::StackName}/flow-worker/*"
    assert [each["Resource"] for each in taking] == [[{"Fn::Sub": mine}]]


def test_its_machines_know_each_role_and_may_ask_etcd_and_routers() -> None:
    data = BODY["Resources"]["LaunchTemplate"]["Properties"]["LaunchTemplateData"]
    groups = {each["Fn::ImportValue"]["Fn::Sub"] for each in data["SecurityGroupIds"]}
    assert "${Stack}:OperatorSecurityGroup" in groups
    text = data["UserData"]["Fn::Base64"]["Fn::Sub"][0]
    (line,) = [each for each in text.splitlines() if "FLOW_ROLES=" in each]
    told = dict(each.split("=") for each in line.strip().removeprefix("FLOW_ROLES=").split(","))
    assert told.keys() == flow_policies().keys()
    assert {arn.removeprefix("${").removesuffix(".Arn}") for arn in told.values()} == resources("AWS::IAM::Role").keys()


def test_a_machine_that_goes_is_held_by_the_hook_that_its_worker_ends() -> None:
    (hook,) = BODY["Resources"]["Group"]["Properties"]["LifecycleHookSpecificationList"]
    assert (hook["LifecycleHookName"], hook["DefaultResult"]) == (HOOK, "CONTINUE")
    assert hook["HeartbeatTimeout"] > 10 * LOOK
    assert hook["LifecycleTransition"] == "autoscaling:EC2_INSTANCE_TERMINATING"


def test_the_template_is_small_enough_to_be_sent_as_it_is() -> None:
    assert len(version_template(ROLE).encode()) < INLINE
