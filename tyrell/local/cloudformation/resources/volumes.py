"""EBS volumes."""

from __future__ import annotations

from tyrell.local.cloudformation.resources.door import Door
from tyrell.local.cloudformation.resources.network import tag_ec2
from tyrell.local.cloudformation.resources.resource_type import (
    Properties,
    ResourceType,
    delete_by,
    id_as,
    list_tags,
    pick,
    words,
)

FIXED = "AvailabilityZone Encrypted KmsKeyId SnapshotId"
MODIFIED = "Size VolumeType Iops Throughput"
"""What ModifyVolume changes, while the volume is in use, too."""


def _create(door: Door, p: Properties) -> str:
    return str(door.call("ec2", "create_volume", **pick(p, f"{FIXED} {MODIFIED}"))["VolumeId"])


def _configure(door: Door, volume: str, new: Properties, old: Properties) -> None:
    tag_ec2(door, volume, new, old)
    wanted = pick(new, MODIFIED)
    if old and wanted != pick(old, MODIFIED):
        door.call("ec2", "modify_volume", VolumeId=volume, **wanted)


TYPES = (
    ResourceType(
        name="AWS::EC2::Volume",
        fixed=words(FIXED),
        mutable=words(f"{MODIFIED} Tags"),
        required=words("AvailabilityZone"),
        create=_create,
        configure=_configure,
        attributes=id_as("VolumeId"),
        delete=delete_by("ec2", "delete_volume", "VolumeId"),
        tagging=list_tags,
    ),
)
