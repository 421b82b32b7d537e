"""Many versions in an AWS that is seeded fast, behind a proxy that counts the calls."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from tasks import clients
from tasks.clients import autoscaling, cloudformation, ec2, elbv2
from tasks.core_services import find_etcd
from tasks.etcd import put
from tasks.groups import find_groups
from tasks.model import Version
from tasks.role_parts import ByRegistry
from tasks.roles import load_role
from tests.link.aws_proxy import Proxy
from tests.link.aws_server import REGION, Aws

NAME = "many"
EMPTY = "Resources: {Queue: {Type: AWS::SQS::Queue}}\n"


@contextmanager
def counted(aws: Aws) -> Iterator[Proxy]:
    """While the block runs, this process talks to that AWS through the proxy; machines can be started there."""
    with Proxy.to(aws.url) as proxy, pytest.MonkeyPatch.context() as patched:
        for name, value in (aws.variables | {"AWS_DEFAULT_REGION": REGION, "AWS_ENDPOINT_URL": proxy.url}).items():
            patched.setenv(name, value)
        clients.forget()
        image = ec2().register_image(Name=NAME)["ImageId"]
        autoscaling().create_launch_configuration(LaunchConfigurationName=NAME, ImageId=image, InstanceType="t3.micro")
        yield proxy
    clients.forget()


def calls_of(proxy: Proxy, begin: float, end: float = float("inf")) -> Counter[str]:
    """How many calls of each service there were between two moments of the monotonic clock."""
    return Counter(call.service for call in proxy.calls if begin <= call.at < end)


def make_group(version: Version, size: int, target_group: str = "") -> str:
    """The version's group with so many machines in service; returns its name."""
    name = f"{version.stack}-{version.role}-{version.id}"
    autoscaling().create_auto_scaling_group(
        AutoScalingGroupName=name,
        LaunchConfigurationName=NAME,
        MinSize=0,
        MaxSize=10,
        DesiredCapacity=size,
        AvailabilityZones=[f"{REGION}a"],
        TargetGroupARNs=[target_group] if target_group else [],
        Tags=[{"Key": key, "Value": value, "PropagateAtLaunch": True} for key, value in version.tags.items()],
    )
    return name


def make_target_group(name: str) -> str:
    """A target group of the default VPC; returns its ARN."""
    vpc = ec2().describe_vpcs()["Vpcs"][0]["VpcId"]
    made = elbv2().create_target_group(Name=name, Protocol="HTTP", Port=80, VpcId=vpc)
    return made["TargetGroups"][0]["TargetGroupArn"]


def make_stack(name: str, tags: dict[str, str], outputs: dict[str, str]) -> None:
    """A CloudFormation stack with these outputs."""
    lines = [f"  {key}: {{Value: '{value}'}}\n" for key, value in outputs.items()]
    template = EMPTY + ("Outputs:\n" + "".join(lines) if lines else "")
    cloudformation().create_stack(
        StackName=name, TemplateBody=template, Tags=[{"Key": key, "Value": value} for key, value in tags.items()]
    )


def seed_versions(stack: str, workers: int, size: int) -> None:
    """A stack whose etcd is there, with five versions of a balanced role, five of a registered one, and of workers.

    Each version has `size` machines, and all of them are healthy.
    """
    listener = _make_listener()
    make_stack(stack, {"tyrell:kind": "base"}, {"PublicListener": listener})
    arns = [make_target_group(f"router-{number}") for number in range(5)]
    for number, arn in enumerate(arns):
        make_group(Version(stack=stack, role="router", id=f"v{number}"), size, arn)
        make_group(Version(stack=stack, role="target", id=f"v{number}"), size)
    weights: Any = [{"TargetGroupArn": arn, "Weight": 100 if arn == arns[0] else 0} for arn in arns]
    elbv2().create_rule(
        ListenerArn=listener,
        Priority=1,
        Conditions=[{"Field": "path-pattern", "Values": ["/*"]}],
        Actions=[{"Type": "forward", "ForwardConfig": {"TargetGroups": weights}}],
        Tags=[{"Key": "tyrell:stack", "Value": stack}, {"Key": "tyrell:role", "Value": "router"}],
    )
    for number in range(workers):
        make_group(Version(stack=stack, role="usage-worker", id=f"v{number}"), size)
    _register_all(stack)
    clients.forget()


def _register_all(stack: str) -> None:
    """All members that the machines of the role `target` should have."""
    role = load_role("target")
    assert isinstance(role.traffic, ByRegistry)
    for group in find_groups(stack, "target"):
        members = [
            f"{machine.address}:{3001 + n}" for machine in group.machines for n in range(role.members_per_machine)
        ]
        records = {member: {"url": f"http://{member}", "version": group.version.id} for member in members}
        puts = [put(role.traffic.records + member, json.dumps(record)) for member, record in records.items()]
        assert find_etcd(stack).transact([], puts)


def _make_listener() -> str:
    """A listener of a balancer in the default VPC; returns its ARN."""
    subnets = [each["SubnetId"] for each in ec2().describe_subnets()["Subnets"]]
    made = elbv2().create_load_balancer(Name=NAME, Subnets=subnets[:2])["LoadBalancers"][0]
    answer: Any = {"StatusCode": "503", "ContentType": "text/plain", "MessageBody": ""}
    listener = elbv2().create_listener(
        LoadBalancerArn=made["LoadBalancerArn"],
        Protocol="HTTP",
        Port=80,
        DefaultActions=[{"Type": "fixed-response", "FixedResponseConfig": answer}],
    )
    return listener["Listeners"][0]["ListenerArn"]
