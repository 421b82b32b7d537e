"""The errors of Amazon EC2 Auto Scaling, with the codes and texts that AWS uses.

Source: the Errors section of each operation, https://docs.aws.amazon.com/autoscaling/ec2/APIReference/
"""

from __future__ import annotations

from moto.core.exceptions import ServiceException


class AutoScalingError(ServiceException):
    """Any refusal of this service: `code` is AWS's error code, the argument its message."""


class ValidationError(AutoScalingError):
    """The request contradicts itself, the group's bounds or the rest of the cloud."""

    code = "ValidationError"


class AlreadyExists(AutoScalingError):
    """There is a group of that name."""

    code = "AlreadyExists"


class ResourceInUse(AutoScalingError):
    """The group still has instances."""

    code = "ResourceInUse"


class ScalingActivityInProgress(AutoScalingError):
    """The group is still busy with its instances."""

    code = "ScalingActivityInProgress"


class UnknownOperation(AutoScalingError):
    """The operation exists on AWS and not here."""

    code = "UnknownOperation"


class InternalFailure(AutoScalingError):
    """This service is at fault; its log says more."""

    code = "InternalFailure"


def group_not_found(name: str) -> ValidationError:
    """The answer to a group name that nobody has."""
    return ValidationError(f"AutoScalingGroup name not found - AutoScalingGroup '{name}' not found")


def instance_not_found(instance_id: str) -> ValidationError:
    """The answer to an instance that is in no group."""
    return ValidationError(f"Instance Id not found - No managed instance found for instance ID: {instance_id}")
