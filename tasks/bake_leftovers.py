"""What a bake makes besides the image, found by its bake key or the name of its key pair, and how it all goes away."""

from __future__ import annotations

import logging
import shutil
from collections.abc import Callable, Mapping
from datetime import timedelta
from functools import partial
from pathlib import Path
from tempfile import gettempdir
from typing import TYPE_CHECKING

from botocore.exceptions import ClientError

from tasks.clients import ec2
from tasks.model import Changes, Patience
from tasks.steps import step
from tasks.waits import NotYet, wait_until

if TYPE_CHECKING:
    from types_boto3_ec2.type_defs import FilterTypeDef, SecurityGroupTypeDef, TagTypeDef

logger = logging.getLogger(__name__)

PATIENCE = Patience(timeout=timedelta(minutes=10), every=timedelta(seconds=0.5))
_ALIVE = ("pending", "running", "stopping", "stopped", "shutting-down")


def hold_name(image: str) -> str:
    """The name of the security group and the key pair of a bake of that machine image."""
    return f"{image}-bake"


def staging_folder(image: str) -> Path:
    """Where what goes into that machine image lies while it is baked, on this machine; Packer's own files as well."""
    return Path(gettempdir(), hold_name(image))


@step("sweep up after {image}", system="ec2")
def sweep(image: str, key: str) -> Changes:
    """Remove what bakes of the machine image, known by its bake key, have left; what there was.

    The caller knows that nobody bakes it any more. Raises Expired naming what does not go.
    """
    instances = _instances(key)
    if instances:
        ec2().terminate_instances(InstanceIds=instances)
        wait_until(f"instances of {image} to be gone", lambda: _none(_instances(key)), PATIENCE)
    described = ec2().describe_key_pairs(Filters=[{"Name": "key-name", "Values": [hold_name(image)]}])["KeyPairs"]
    keys = [pair["KeyName"] for pair in described]
    for name in keys:
        ec2().delete_key_pair(KeyName=name)
    volumes = [volume["VolumeId"] for volume in ec2().describe_volumes(Filters=_by(key))["Volumes"]]
    for volume in volumes:
        _delete(f"volume {volume}", partial(ec2().delete_volume, VolumeId=volume))
    groups = [group["GroupId"] for group in find_groups(key)]
    for group in groups:
        _delete(f"security group {group}", partial(ec2().delete_security_group, GroupId=group))
    shutil.rmtree(staging_folder(image), ignore_errors=True)
    swept = (*instances, *keys, *volumes, *groups)
    if swept:
        logger.info("removed what a bake of %s had made: %s", image, ", ".join(swept))
    return tuple(f"removed {each}, left by a bake of {image}" for each in swept)


def find_groups(key: str) -> list[SecurityGroupTypeDef]:
    """The security groups of bakes of that key."""
    return ec2().describe_security_groups(Filters=_by(key))["SecurityGroups"]


def as_tags(tags: Mapping[str, str]) -> list[TagTypeDef]:
    """Tags as EC2 takes them."""
    return [{"Key": name, "Value": value} for name, value in tags.items()]


def _by(key: str) -> list[FilterTypeDef]:
    return [{"Name": "tag:tyrell:bake-key", "Values": [key]}]


def _instances(key: str) -> list[str]:
    alive: FilterTypeDef = {"Name": "instance-state-name", "Values": _ALIVE}
    pages = ec2().get_paginator("describe_instances").paginate(Filters=[*_by(key), alive])
    return [
        instance["InstanceId"]
        for page in pages
        for reservation in page["Reservations"]
        for instance in reservation["Instances"]
    ]


def _none(left: list[str]) -> bool | NotYet:
    return NotYet(f"{', '.join(left)} {'is' if len(left) == 1 else 'are'} still there") if left else True


def _delete(what: str, delete: Callable[[], object]) -> None:
    """Delete what may be gone already, or, for a moment, in use by what was deleted before it."""

    def look() -> bool | NotYet:
        try:
            delete()
        except ClientError as error:
            code = error.response["Error"]["Code"]
            if code.endswith(".NotFound"):
                return True
            if code not in {"DependencyViolation", "VolumeInUse", "IncorrectState"}:
                raise
            return NotYet(str(error))
        return True

    wait_until(f"{what} to be deleted", look, PATIENCE)
