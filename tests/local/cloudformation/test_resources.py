"""Whole stacks of every supported type: what they make, how they change, and that nothing stays behind."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.local.cloudformation.stacks import Stacks, template, unique
from tyrell.local.cloudformation.engine import CloudFormation
from tyrell.local.cloudformation.resources import TYPES
from tyrell.local.cloudformation.template import parse_template

LISTINGS = {
    ("ec2", "describe_vpcs"): "Vpcs",
    ("ec2", "describe_subnets"): "Subnets",
    ("ec2", "describe_internet_gateways"): "InternetGateways",
    ("ec2", "describe_route_tables"): "RouteTables",
    ("ec2", "describe_addresses"): "Addresses",
    ("ec2", "describe_network_interfaces"): "NetworkInterfaces",
    ("ec2", "describe_network_acls"): "NetworkAcls",
    ("ec2", "describe_security_groups"): "SecurityGroups",
    ("ec2", "describe_volumes"): "Volumes",
    ("ec2", "describe_launch_templates"): "LaunchTemplates",
    ("ec2", "describe_tags"): "Tags",
    ("elbv2", "describe_load_balancers"): "LoadBalancers",
    ("elbv2", "describe_target_groups"): "TargetGroups",
    ("autoscaling", "describe_auto_scaling_groups"): "AutoScalingGroups",
    ("autoscaling", "describe_scheduled_actions"): "ScheduledUpdateGroupActions",
    ("iam", "list_roles"): "Roles",
    ("iam", "list_instance_profiles"): "InstanceProfiles",
    ("sqs", "list_queues"): "QueueUrls",
    ("s3", "list_buckets"): "Buckets",
    ("ssm", "describe_parameters"): "Parameters",
    ("logs", "describe_log_groups"): "logGroups",
    ("route53", "list_hosted_zones"): "HostedZones",
}
"""What to list to see everything there is."""

pytestmark = pytest.mark.cloud

Cloud = dict[str, str]


def everything(client: Any, operation: str, name: str) -> list[Any]:
    """All pages of a listing."""
    if not client.can_paginate(operation):
        return list(getattr(client, operation)().get(name, []))
    return list(client.get_paginator(operation).paginate().build_full_result().get(name, []))


def inventory(stacks: Stacks) -> dict[str, Any]:
    """Everything there is in the cloud; a NAT gateway stays listed as deleted for a while, as on AWS."""
    found = {key: everything(stacks.client(service), key, name) for (service, key), name in LISTINGS.items()}
    alive = [{"Name": "state", "Values": ["pending", "available", "deleting"]}]
    found["nat"] = stacks.client("ec2").describe_nat_gateways(Filters=alive)["NatGateways"]
    found["policies"] = stacks.client("iam").list_policies(Scope="Local")["Policies"]
    return found


def create_cloud(stacks: Stacks) -> Cloud:
    """A network, a base and a version stack; answers their ids."""
    name = unique("net")
    network = stacks.create(template("network.yaml"), name)
    base = stacks.create(template("base.yaml"), given={"Network": name})
    version = stacks.create(template("version.yaml"), given={"Network": name})
    ids = {"network": network, "base": base, "version": version, "name": name}
    for part in ("network", "base", "version"):
        assert stacks.describe(ids[part])["StackStatus"] == "CREATE_COMPLETE", stacks.events(ids[part])
    return ids


@pytest.fixture(scope="module")
def cloud(engine: CloudFormation) -> Iterator[Cloud]:
    """Three stacks to look at."""
    ids = create_cloud(Stacks(engine))
    yield ids
    delete_cloud(Stacks(engine), ids)


@pytest.fixture
def own_cloud(stacks: Stacks) -> Iterator[Cloud]:
    """Three stacks of one test, to change."""
    ids = create_cloud(stacks)
    yield ids
    delete_cloud(stacks, ids)


def delete_cloud(stacks: Stacks, ids: Cloud) -> None:
    for part in ("version", "base", "network"):
        assert stacks.delete(ids[part]) == "DELETE_COMPLETE", stacks.events(ids[part])


def test_the_templates_of_these_tests_have_every_supported_type() -> None:
    used = {
        entry.type
        for name in ("network.yaml", "base.yaml", "version.yaml")
        for entry in parse_template(template(name), TYPES).resources.values()
    }
    assert used == TYPES.keys()


def test_deleted_stacks_leave_nothing_behind(stacks: Stacks) -> None:
    before = inventory(stacks)
    ids = create_cloud(stacks)
    between = inventory(stacks)
    delete_cloud(stacks, ids)
    after = inventory(stacks)
    for listing, entries in after.items():
        assert len(between[listing]) > len(before[listing]), f"{listing} saw nothing of the stacks"
        assert entries == before[listing]


def test_values_arrive_in_the_types_of_the_services(stacks: Stacks, cloud: Cloud) -> None:
    elb, base = stacks.client("elbv2"), cloud["base"]
    group = elb.describe_target_groups(TargetGroupArns=[stacks.physical_id(base, "Targets")])["TargetGroups"][0]
    assert group["HealthCheckIntervalSeconds"] == 5
    assert group["Matcher"] == {"HttpCode": "200"}
    listener = elb.describe_listeners(ListenerArns=[stacks.physical_id(base, "Listener")])["Listeners"][0]
    assert listener["Port"] == 80
    assert listener["DefaultActions"][0]["FixedResponseConfig"]["StatusCode"] == "503"
    queue = stacks.client("sqs").get_queue_attributes(QueueUrl=stacks.outputs(base)["Queue"], AttributeNames=["All"])
    assert queue["Attributes"]["SqsManagedSseEnabled"] == "true"
    assert '"maxReceiveCount": 5' in queue["Attributes"]["RedrivePolicy"]


def test_subnets_lie_in_their_zones_and_route_to_their_gateways(stacks: Stacks, cloud: Cloud) -> None:
    ec2, network = stacks.client("ec2"), cloud["network"]
    public, private = (stacks.physical_id(network, name) for name in ("Public1", "Private1"))
    found = {subnet["SubnetId"]: subnet for subnet in ec2.describe_subnets(SubnetIds=[public, private])["Subnets"]}
    assert (found[public]["CidrBlock"], found[private]["CidrBlock"]) == ("127.32.1.0/24", "127.32.5.0/24")
    assert found[public]["AvailabilityZone"] == "us-east-1b"
    assert found[public]["MapPublicIpOnLaunch"] is True
    assert found[private]["MapPublicIpOnLaunch"] is False
    of_private = [{"Name": "association.subnet-id", "Values": [private]}]
    table = ec2.describe_route_tables(Filters=of_private)["RouteTables"][0]
    nat_gateways = [route["NatGatewayId"] for route in table["Routes"] if "NatGatewayId" in route]
    assert nat_gateways == [stacks.physical_id(network, "Nat")]


def test_security_groups_have_exactly_the_rules_of_the_template(stacks: Stacks, cloud: Cloud) -> None:
    ids = [stacks.physical_id(cloud["base"], name) for name in ("MachineGroup", "BalancerGroup")]
    groups = stacks.client("ec2").describe_security_groups(GroupIds=ids)["SecurityGroups"]
    machines, balancer = sorted(groups, key=lambda group: ids.index(group["GroupId"]))
    assert [(rule["FromPort"], rule["IpRanges"][0]["CidrIp"]) for rule in machines["IpPermissionsEgress"]] == [
        (443, "0.0.0.0/0")
    ]
    assert [pair["GroupId"] for pair in machines["IpPermissions"][0]["UserIdGroupPairs"]] == [ids[1]]
    assert 8080 in [rule.get("ToPort") for rule in balancer["IpPermissionsEgress"]]


def test_tags_name_the_stack_and_only_own_tags_reach_instances(stacks: Stacks, cloud: Cloud) -> None:
    name = stacks.outputs(cloud["version"])["Group"]
    found = stacks.client("autoscaling").describe_auto_scaling_groups(AutoScalingGroupNames=[name])
    tags = {tag["Key"]: tag for tag in found["AutoScalingGroups"][0]["Tags"]}
    assert tags["tyrell:role"]["PropagateAtLaunch"] is True
    assert tags["aws:cloudformation:logical-id"]["Value"] == "Group"
    assert tags["aws:cloudformation:logical-id"]["PropagateAtLaunch"] is False
    of_stack = [{"Name": "tag:aws:cloudformation:stack-id", "Values": [cloud["network"]]}]
    assert len(stacks.client("ec2").describe_subnets(Filters=of_stack)["Subnets"]) == 8


CHANGES = {
    "FromPort: 80,": "FromPort: 81,",
    "Value: 120}": "Value: 90}",
    'Port: "80"': "Port: 8000",
    "StatusCode: 503": "StatusCode: 404",
    "HealthCheckPath: /health": "HealthCheckPath: /ready",
    "deregistration_delay.timeout_seconds, Value: 5": "deregistration_delay.timeout_seconds, Value: 7",
    "Priority: 10": "Priority: 20",
    'Weight: "1"': "Weight: 100",
    "Tags: [{Key: kind, Value: data}]": "Tags: [{Key: sort, Value: data}]",
    "Action: sqs:SendMessage": "Action: sqs:*",
    "      LifecycleConfiguration: {Rules: [{Id: old, Status: Enabled, ExpirationInDays: 30}]}\n": "",
    "Effect: Deny": "Effect: Allow",
    "Description: Machines": "Description: All machines",
    "- PolicyName: queue": "- PolicyName: jobs",
    "Action: s3:*": "Action: s3:GetObject",
    "Action: logs:*": "Action: logs:PutLogEvents",
    "{RetentionInDays: 7}": "{RetentionInDays: 14}",
    "Tags: {kind: endpoint}": "Tags: {sort: endpoint}",
    "TTL: 60": "TTL: 30",
}
"""Edits of the base template that change a resource in place."""


def test_mutable_properties_change_without_replacing_anything(stacks: Stacks, own_cloud: Cloud) -> None:
    base, changed = own_cloud["base"], template("base.yaml")
    for old, new in CHANGES.items():
        assert old in changed
        changed = changed.replace(old, new)
    before = {name: stacks.physical_id(base, name) for name in parse_template(changed, TYPES).resources}
    assert stacks.update(base, changed, {"Network": own_cloud["name"]}) == "UPDATE_COMPLETE", stacks.events(base)
    assert {name: stacks.physical_id(base, name) for name in before} == before
    elb = stacks.client("elbv2")
    rule = elb.describe_rules(RuleArns=[before["Rule"]])["Rules"][0]
    assert rule["Priority"] == "20"
    assert rule["Actions"][0]["ForwardConfig"]["TargetGroups"][0]["Weight"] == 100
    listener = elb.describe_listeners(ListenerArns=[before["Listener"]])["Listeners"][0]
    assert listener["Port"] == 8000
    iam = stacks.client("iam")
    assert iam.list_role_policies(RoleName=before["Role"])["PolicyNames"] == ["extra", "jobs"]
    tags = stacks.client("sqs").list_queue_tags(QueueUrl=before["Queue"])["Tags"]
    assert tags["sort"] == "data"
    assert "kind" not in tags
    group = stacks.client("ec2").describe_security_groups(GroupIds=[before["BalancerGroup"]])["SecurityGroups"][0]
    assert [rule["FromPort"] for rule in group["IpPermissions"]] == [81]


def test_an_update_that_fails_at_the_end_undoes_every_change(stacks: Stacks, own_cloud: Cloud) -> None:
    base, changed = own_cloud["base"], template("base.yaml")
    for old, new in CHANGES.items():
        changed = changed.replace(old, new)
    resources = ", ".join(parse_template(changed, TYPES).resources)
    changed = changed.replace("Outputs:", f"  Broken: {{Type: AWS::EC2::VPC, DependsOn: [{resources}]}}\nOutputs:")
    before = stacks.client("elbv2").describe_rules(RuleArns=[stacks.physical_id(base, "Rule")])["Rules"]
    assert stacks.update(base, changed, {"Network": own_cloud["name"]}) == "UPDATE_ROLLBACK_COMPLETE", stacks.events(
        base
    )
    assert stacks.client("elbv2").describe_rules(RuleArns=[stacks.physical_id(base, "Rule")])["Rules"] == before
    role = stacks.physical_id(base, "Role")
    assert stacks.client("iam").list_role_policies(RoleName=role)["PolicyNames"] == ["extra", "queue"]
    tags = stacks.client("sqs").list_queue_tags(QueueUrl=stacks.outputs(base)["Queue"])["Tags"]
    assert tags["kind"] == "data"
    assert "sort" not in tags


def test_a_subnet_can_move_to_another_route_table(stacks: Stacks, own_cloud: Cloud) -> None:
    moved = template("network.yaml").replace(
        "{SubnetId: !Ref Private1, RouteTableId: !Ref PrivateTable1}",
        "{SubnetId: !Ref Private1, RouteTableId: !Ref PrivateTable0}",
    )
    assert stacks.update(own_cloud["network"], moved) == "UPDATE_COMPLETE"
    tables = stacks.client("ec2").describe_route_tables(
        Filters=[{"Name": "association.subnet-id", "Values": [stacks.physical_id(own_cloud["network"], "Private1")]}]
    )["RouteTables"]
    assert [table["RouteTableId"] for table in tables] == [stacks.physical_id(own_cloud["network"], "PrivateTable0")]


def test_generated_names_tell_stack_and_resource_and_fit_the_type(stacks: Stacks, cloud: Cloud) -> None:
    name = unique("a-stack-with-quite-a-long-name")
    stack_id = stacks.create(template("version.yaml"), name, {"Network": cloud["name"]})
    groups = stacks.client("elbv2").describe_target_groups(TargetGroupArns=[stacks.physical_id(stack_id, "Targets")])
    target_group = groups["TargetGroups"][0]["TargetGroupName"]
    assert stacks.outputs(stack_id)["Group"].startswith(f"{name}-Group-")
    assert target_group.startswith("a-stack")
    assert "-Targ" in target_group
    assert len(target_group) <= 32
    stacks.delete(stack_id)


def test_a_launch_template_update_is_a_new_version_that_its_group_follows(stacks: Stacks, own_cloud: Cloud) -> None:
    network, stack_id = own_cloud["name"], own_cloud["version"]
    launch_template, group = stacks.physical_id(stack_id, "Template"), stacks.outputs(stack_id)["Group"]
    asg = stacks.client("autoscaling")
    asg.update_auto_scaling_group(AutoScalingGroupName=group, MinSize=0, DesiredCapacity=0, MaxSize=3)
    new = {"Network": network, "Image": "ami-87654321"}
    assert stacks.update(stack_id, template("version.yaml"), new) == "UPDATE_COMPLETE"
    assert stacks.physical_id(stack_id, "Template") == launch_template
    found = asg.describe_auto_scaling_groups(AutoScalingGroupNames=[group])["AutoScalingGroups"][0]
    assert found["LaunchTemplate"] == {
        "LaunchTemplateId": launch_template,
        "LaunchTemplateName": found["LaunchTemplate"]["LaunchTemplateName"],
        "Version": "2",
    }
    assert found["MaxSize"] == 4


def test_new_stack_tags_reach_everything_without_replacing_anything(stacks: Stacks, own_cloud: Cloud) -> None:
    version, given = own_cloud["version"], {"Network": own_cloud["name"]}
    logical_ids = parse_template(template("version.yaml"), TYPES).resources
    before = {name: stacks.physical_id(version, name) for name in logical_ids}
    tags = [{"Key": "tyrell:run", "Value": "7"}]
    assert stacks.update(version, template("version.yaml"), given, Tags=tags) == "UPDATE_COMPLETE"
    assert {name: stacks.physical_id(version, name) for name in logical_ids} == before
    of_template = [{"Name": "resource-id", "Values": [before["Template"]]}]
    found = stacks.client("ec2").describe_tags(Filters=of_template)["Tags"]
    assert "7" in [tag["Value"] for tag in found if tag["Key"] == "tyrell:run"]
    described = stacks.client("elbv2").describe_tags(ResourceArns=[before["Targets"]])["TagDescriptions"]
    assert tags[0] in described[0]["Tags"]
