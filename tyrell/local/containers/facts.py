"""What an instance is told about itself, asked through the AWS API when it boots."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from botocore.exceptions import ClientError

from tyrell.local.aws import client
from tyrell.local.machines.metadata import Metadata, read_metadata
from tyrell.local.settings import Settings


@dataclass(frozen=True)
class Facts:
    """An instance's metadata, with what only a real machine needs: names and contents of its key, and its role.

    `public_key` is a line of an authorized_keys file; `key_name` and `profile` are empty when there is none.
    """

    metadata: Metadata
    mac: str
    reservation_id: str
    key_name: str
    public_key: str
    security_groups: tuple[str, ...]
    profile: str


def read_facts(settings: Settings, instance_id: str) -> Facts:
    """Ask EC2 about one instance. Raises botocore's ClientError."""
    ec2 = client(settings, "ec2")
    reservation = ec2.describe_instances(InstanceIds=[instance_id])["Reservations"][0]
    instance = reservation["Instances"][0]
    key_name = instance.get("KeyName", "")
    return Facts(
        metadata=read_metadata(settings, instance_id),
        mac=instance["NetworkInterfaces"][0]["MacAddress"],
        reservation_id=reservation["ReservationId"],
        key_name=key_name,
        public_key=_public_key(ec2, key_name) if key_name else "",
        security_groups=tuple(group["GroupName"] for group in instance.get("SecurityGroups", [])),
        profile=instance.get("IamInstanceProfile", {}).get("Arn", "").rpartition("/")[2],
    )


def _public_key(ec2: Any, name: str) -> str:
    """Empty when the key pair has been deleted since the instance was launched."""
    try:
        found = ec2.describe_key_pairs(KeyNames=[name], IncludePublicKey=True)["KeyPairs"]
    except ClientError:
        return ""
    return str(found[0]["PublicKey"]).strip()
