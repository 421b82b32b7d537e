"""A cloud with groups and nothing else, in this process, and the few calls that its tests make again and again."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.waiting import eventually
from tyrell.local.autoscaling.engine import AutoScaling
from tyrell.local.aws import client
from tyrell.local.settings import Settings


class Clock:
    """The time of day, which a test can put forward."""

    def __init__(self) -> None:
        self._ahead = timedelta()

    def __call__(self) -> datetime:
        return datetime.now(UTC) + self._ahead

    def forward(self, **by: float) -> None:
        """Put the clock forward by hours=, minutes=, seconds=."""
        self._ahead += timedelta(**by)


def refusal(call: Any, **request: Any) -> tuple[str, str]:
    """Code and message of the error that the call is answered with."""
    with pytest.raises(ClientError) as refused:
        call(**request)
    error = refused.value.response["Error"]
    return error["Code"], error["Message"]


@dataclass(frozen=True)
class Cloud:
    """A cloud under test: its AWS clients, its clock, its engine and the network that groups launch into."""

    settings: Settings
    engine: AutoScaling
    clock: Clock
    vpc: str
    subnets: list[str]
    template: str

    @property
    def autoscaling(self) -> Any:
        return client(self.settings, "autoscaling")

    @property
    def ec2(self) -> Any:
        return client(self.settings, "ec2")

    @property
    def elbv2(self) -> Any:
        return client(self.settings, "elbv2")

    def create(self, name: str, *, low: int = 0, high: int = 5, **more: Any) -> None:
        """Create a group over all subnets."""
        self.autoscaling.create_auto_scaling_group(
            AutoScalingGroupName=name,
            MinSize=low,
            MaxSize=high,
            **{
                "VPCZoneIdentifier": ",".join(self.subnets),
                "LaunchTemplate": {"LaunchTemplateId": self.template},
                **more,
            },
        )

    def forward(self, **by: float) -> None:
        """Put the clock forward by hours=, minutes=, seconds=, and let the engine see it."""
        self.clock.forward(**by)
        self.engine.wake()

    def group(self, name: str) -> dict[str, Any] | None:
        """The group as the API shows it, None when there is none."""
        found = self.autoscaling.describe_auto_scaling_groups(AutoScalingGroupNames=[name])["AutoScalingGroups"]
        return found[0] if found else None

    def instances(self, name: str, state: str = "InService") -> list[str]:
        """Ids of the group's instances in that lifecycle state."""
        group = self.group(name)
        return [item["InstanceId"] for item in group["Instances"] if item["LifecycleState"] == state] if group else []

    def await_in_service(self, name: str, number: int) -> list[str]:
        """Ids of the group's instances, once it has exactly that many and all are in service."""

        def settled() -> list[list[str]]:
            """The ids, in a list so that no ids is an answer too."""
            instances = (self.group(name) or {"Instances": []})["Instances"]
            in_service = [each["InstanceId"] for each in instances if each["LifecycleState"] == "InService"]
            return [in_service] if len(instances) == number == len(in_service) else []

        (found,) = eventually(f"{number} instances in service in {name}", settled)
        return list(found)

    def activities(self, name: str) -> list[dict[str, Any]]:
        """The group's activities, newest first."""
        return list(self.autoscaling.describe_scaling_activities(AutoScalingGroupName=name)["Activities"])

    def target_group(self) -> str:
        """ARN of a new target group in the VPC."""
        made = self.elbv2.create_target_group(
            Name=f"tg-{uuid.uuid4().hex[:8]}", Protocol="HTTP", Port=8080, VpcId=self.vpc
        )
        return str(made["TargetGroups"][0]["TargetGroupArn"])

    def registered(self, target_group: str) -> set[str]:
        """Ids of the instances in a target group."""
        told = self.elbv2.describe_target_health(TargetGroupArn=target_group)["TargetHealthDescriptions"]
        return {item["Target"]["Id"] for item in told}
