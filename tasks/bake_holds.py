"""One bake of a machine image at a time, and nothing left of one that died.

The security group of a bake is its lock: EC2 takes a name once in a VPC, and its tags say who has it and since when.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from botocore.exceptions import ClientError

from tasks.bake_leftovers import as_tags, find_groups, hold_name, sweep
from tasks.bake_places import Place
from tasks.bake_plans import Plan
from tasks.clients import ec2
from tasks.errors import TyrellError
from tasks.locks import me
from tasks.packer import LONGEST


def hold_tags(plan: Plan) -> dict[str, str]:
    """The tags of everything that we make for a bake."""
    return {
        "Name": hold_name(plan.name),
        "tyrell:bake-key": plan.key,
        "tyrell:holder": me(),
        "tyrell:process": str(os.getpid()),
        "tyrell:since": datetime.now(UTC).isoformat(timespec="seconds"),
    }


@contextmanager
def holding_bake(plan: Plan, place: Place) -> Iterator[str]:
    """A security group that lets ssh in from the caller alone; its id. In the end all that the bake made is gone.

    Raises TyrellError when somebody else bakes the same.
    """
    try:
        group = ec2().create_security_group(
            GroupName=hold_name(plan.name),
            Description=f"ssh from {place.caller} while a machine image is baked",
            VpcId=place.vpc,
            TagSpecifications=[{"ResourceType": "security-group", "Tags": as_tags(hold_tags(plan))}],
        )["GroupId"]
    except ClientError as error:
        if error.response["Error"]["Code"] != "InvalidGroup.Duplicate":
            raise
        check_free(plan)
        raise TyrellError(f"{plan.name} is being baked by somebody else; wait for that") from None
    try:
        ec2().authorize_security_group_ingress(
            GroupId=group, IpProtocol="tcp", FromPort=22, ToPort=22, CidrIp=f"{place.caller}/32"
        )
        yield group
    finally:
        sweep.fn(plan.name, plan.key)


def check_free(plan: Plan) -> None:
    """Raises TyrellError when somebody who lives bakes the same image."""
    for group in find_groups(plan.key):
        tags = {tag["Key"]: tag["Value"] for tag in group.get("Tags", [])}
        if lives(tags, datetime.now(UTC)):
            raise TyrellError(
                f"{plan.name} is being baked by {tags['tyrell:holder']}, process {tags['tyrell:process']}, since"
                f" {tags['tyrell:since']}; wait for that, or stop it"
            )


def lives(tags: dict[str, str], now: datetime) -> bool:
    """Whether the holder who left these tags may still be at work: no bake lasts longer than Packer is given.

    Of a process on this machine we know more than its age.
    """
    if now - datetime.fromisoformat(tags["tyrell:since"]) > LONGEST:
        return False
    return tags["tyrell:holder"] != me() or Path("/proc", tags["tyrell:process"]).exists()
