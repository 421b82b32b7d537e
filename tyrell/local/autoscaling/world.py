"""The rest of the cloud as a group meets it: EC2 and its load balancers, through their AWS APIs."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import ClientError

from tyrell.local.autoscaling.observed import ALIVE, Seen, Target
from tyrell.local.autoscaling.records import Group, Member, Template
from tyrell.local.autoscaling.states import STARTING, State
from tyrell.local.aws import client
from tyrell.local.settings import Settings

GROUP_TAG = "aws:autoscaling:groupName"


@dataclass(frozen=True)
class Launched:
    """What EC2 told of an instance that it just started; `template.version` is the number that was used."""

    instance_id: str
    subnet: str
    zone: str
    instance_type: str
    image: str
    template: Template


class World:
    """Looks at and acts on EC2 and ELBv2. Everything raises botocore's ClientError when the service refuses."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings

    def states(self, instance_ids: list[str]) -> dict[str, str]:
        """EC2's state of each of these instances; those that EC2 does not know are missing.

        One DescribeInstanceStatus, a third of the work of DescribeInstances. It refuses all when it does not know one,
        so then each is asked for by itself.
        """
        if not instance_ids:
            return {}
        request = {"InstanceIds": instance_ids, "IncludeAllInstances": True}
        found = _tolerating({"InvalidInstanceID.NotFound"}, self._ec2.describe_instance_status, **request)
        if not found and len(instance_ids) > 1:
            return {known: state for each in instance_ids for known, state in self.states([each]).items()}
        return {told["InstanceId"]: told["InstanceState"]["Name"] for told in found.get("InstanceStatuses", ())}

    def look(self, group: Group, states: Mapping[str, str]) -> Seen:
        """What matters to the group now, besides the EC2 `states` of its instances."""
        return Seen(states, self._targets(group, states), self._reasons(group, states))

    def launch(self, group: Group, subnet: str) -> Launched:
        """Start one instance of the group's launch template in `subnet`, with the group's propagated tags."""
        version = self.template_version(group.template)
        data = version["LaunchTemplateData"]
        number = str(version["VersionNumber"])
        request = {
            "MinCount": 1,
            "MaxCount": 1,
            "LaunchTemplate": {"LaunchTemplateId": group.template.id, "Version": number},
            "TagSpecifications": [_instance_tags(group)],
            **_placement(data, subnet),
        }
        instance = self._ec2.run_instances(**request)["Instances"][0]
        return Launched(
            instance["InstanceId"],
            subnet,
            instance["Placement"]["AvailabilityZone"],
            instance["InstanceType"],
            instance["ImageId"],
            Template(group.template.id, group.template.name, number),
        )

    def terminate(self, instance_id: str) -> None:
        """Terminate the instance; fine when EC2 no longer knows it."""
        _tolerating({"InvalidInstanceID.NotFound"}, self._ec2.terminate_instances, InstanceIds=[instance_id])

    def register(self, instance_id: str, target_group: str) -> None:
        """Put the instance into the target group, at the target group's own port."""
        self._elbv2.register_targets(TargetGroupArn=target_group, Targets=[{"Id": instance_id}])

    def deregister(self, instance_id: str, target_group: str) -> None:
        """Take the instance out of the target group; fine when it is not in, or when the target group is gone."""
        _tolerating(
            {"InvalidTarget", "TargetGroupNotFound"},
            self._elbv2.deregister_targets,
            TargetGroupArn=target_group,
            Targets=[{"Id": instance_id}],
        )

    def deregistration_delay(self, target_group: str) -> int:
        """How many seconds the target group drains a target at most; 0 when it is gone."""
        found = _tolerating(
            {"TargetGroupNotFound"}, self._elbv2.describe_target_group_attributes, TargetGroupArn=target_group
        )
        attributes = {item["Key"]: item["Value"] for item in found.get("Attributes", ())}
        return int(attributes.get("deregistration_delay.timeout_seconds", 0))

    def template_version(self, template: Template) -> dict[str, Any]:
        """The launch template version that `template` means now, as DescribeLaunchTemplateVersions tells it."""
        found = self._ec2.describe_launch_template_versions(LaunchTemplateId=template.id, Versions=[template.version])
        return dict(found["LaunchTemplateVersions"][0])

    def _targets(self, group: Group, states: Mapping[str, str]) -> dict[str, tuple[Target, ...]]:
        """The target health that matters now: of those in service under the ELB check, and of those drained."""
        asked: dict[str, list[str]] = defaultdict(list)
        for member in group.members.values():
            if states.get(member.instance_id) == "running":
                for arn in _interesting(group, member):
                    asked[arn].append(member.instance_id)
        health: dict[str, tuple[Target, ...]] = defaultdict(tuple)
        for arn, instance_ids in asked.items():
            for instance_id, target in self._target_health(arn, instance_ids):
                health[instance_id] += (target,)
        return health

    def _reasons(self, group: Group, states: Mapping[str, str]) -> dict[str, str]:
        """Why the instances that died at launch did, as EC2 says."""
        starting = [each.instance_id for each in group.members.values() if each.state in STARTING]
        died = [instance_id for instance_id in starting if states.get(instance_id) not in ALIVE]
        if not died:
            return {}
        found = self._ec2.describe_instances(Filters=[{"Name": "instance-id", "Values": died}])
        return {
            instance["InstanceId"]: instance.get("StateReason", {}).get("Message", "")
            for reservation in found["Reservations"]
            for instance in reservation["Instances"]
        }

    def _target_health(self, target_group: str, instance_ids: list[str]) -> list[tuple[str, Target]]:
        found = _tolerating(
            {"TargetGroupNotFound"},
            self._elbv2.describe_target_health,
            TargetGroupArn=target_group,
            Targets=[{"Id": instance_id} for instance_id in instance_ids],
        )
        return [
            (told["Target"]["Id"], Target(target_group, health["State"], health.get("Description", "")))
            for told in found.get("TargetHealthDescriptions", ())
            for health in (told["TargetHealth"],)
        ]

    @property
    def _ec2(self) -> Any:
        return client(self._settings, "ec2")

    @property
    def _elbv2(self) -> Any:
        return client(self._settings, "elbv2")


def _interesting(group: Group, member: Member) -> set[str]:
    """The target groups whose health for this instance decides something now."""
    if member.state is State.IN_SERVICE:
        return member.registered if group.health_check == "ELB" else set()
    return member.draining if not member.termination_asked else set()


def _instance_tags(group: Group) -> dict[str, Any]:
    """The tags of a new instance, besides those of the template: the group's propagated ones, and its name."""
    tags = {tag.key: tag.value for tag in group.tags.values() if tag.propagate} | {GROUP_TAG: group.name}
    return {"ResourceType": "instance", "Tags": [{"Key": key, "Value": value} for key, value in tags.items()]}


def _placement(data: Mapping[str, Any], subnet: str) -> dict[str, Any]:
    """The subnet of the request; EC2 wants it inside the template's first network interface when there is one."""
    interfaces = data.get("NetworkInterfaces")
    if not interfaces:
        return {"SubnetId": subnet}
    return {"NetworkInterfaces": [{**interfaces[0], "SubnetId": subnet}, *interfaces[1:]]}


def _tolerating(codes: set[str], call: Callable[..., Any], **request: Any) -> dict[str, Any]:
    """The call's answer, or an empty one when the service refuses with one of these error codes."""
    try:
        return dict(call(**request))
    except ClientError as refusal:
        if refusal.response["Error"]["Code"] in codes:
            return {}
        raise
