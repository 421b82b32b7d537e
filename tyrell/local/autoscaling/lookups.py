"""What a request names must exist: subnets, launch templates and target groups, asked from their services.

ValidationError when it does not, in AWS's words.
"""

from __future__ import annotations

from typing import Any

from botocore.exceptions import ClientError

from tyrell.local.autoscaling.errors import ValidationError
from tyrell.local.autoscaling.records import Template
from tyrell.local.aws import client
from tyrell.local.settings import Settings

_BAD_TEMPLATE = "You must use a valid fully-formed launch template."


def find_template(settings: Settings, specification: dict[str, str]) -> Template:
    """The launch template that `specification` (LaunchTemplateId or LaunchTemplateName, Version) names."""
    names = {
        "LaunchTemplateIds": [specification["LaunchTemplateId"]] if "LaunchTemplateId" in specification else [],
        "LaunchTemplateNames": [specification["LaunchTemplateName"]] if "LaunchTemplateName" in specification else [],
    }
    if sum(map(len, names.values())) != 1:
        raise ValidationError("Valid requests must contain either launchTemplateId or LaunchTemplateName")
    version = specification.get("Version") or "$Default"
    ec2 = client(settings, "ec2")
    try:
        found = ec2.describe_launch_templates(**{key: value for key, value in names.items() if value})
        if not found["LaunchTemplates"]:
            raise ValidationError(f"{_BAD_TEMPLATE} {_no_such_template(specification)}")
        template = found["LaunchTemplates"][0]
        ec2.describe_launch_template_versions(LaunchTemplateId=template["LaunchTemplateId"], Versions=[version])
    except ClientError as refusal:
        raise ValidationError(f"{_BAD_TEMPLATE} {refusal.response['Error']['Message']}") from None
    return Template(template["LaunchTemplateId"], template["LaunchTemplateName"], version)


def _no_such_template(specification: dict[str, str]) -> str:
    kind, name = ("ID", "LaunchTemplateId") if "LaunchTemplateId" in specification else ("name", "LaunchTemplateName")
    return f"The specified launch template, with template {kind} {specification[name]}, does not exist."


def find_zones(settings: Settings, subnets: tuple[str, ...]) -> tuple[str, ...]:
    """The Availability Zones of these subnets, sorted, each once."""
    if not subnets:
        raise ValidationError("At least one VPC Subnet is required (VPCZoneIdentifier).")
    described = _describe_subnets(settings, subnets)
    return tuple(sorted({subnet["AvailabilityZone"] for subnet in described}))


def _describe_subnets(settings: Settings, subnets: tuple[str, ...]) -> list[dict[str, Any]]:
    try:
        return list(client(settings, "ec2").describe_subnets(SubnetIds=list(subnets))["Subnets"])
    except ClientError as refusal:
        raise ValidationError(refusal.response["Error"]["Message"]) from None


def check_target_groups(settings: Settings, arns: list[str]) -> None:
    """ValidationError when one of these target groups does not exist."""
    for arn in arns:
        try:
            client(settings, "elbv2").describe_target_groups(TargetGroupArns=[arn])
        except ClientError as refusal:
            message = "Provided Target Groups may not be valid. Please ensure they exist and try again."
            raise ValidationError(f"{message} ({arn}: {refusal.response['Error']['Message']})") from None
