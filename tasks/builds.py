"""Machine images that were baked: which there are, what they are made of, which versions use them, and removing one."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING

from botocore.exceptions import ClientError

from tasks.bake_keys import changed_inputs
from tasks.clients import ec2
from tasks.errors import NotFound
from tasks.model import Changes, Noun
from tasks.stacks import find_stack, find_stacks
from tasks.steps import step

if TYPE_CHECKING:
    from types_boto3_ec2.type_defs import FilterTypeDef, ImageTypeDef

REFERENCE = "tyrell:image:"
"""The tag with the reference of a role's Docker image."""


class Build(Noun):
    """A machine image as EC2 describes it."""

    ami: str
    name: str
    kind: str
    release: str
    key: str
    """The bake key; empty when it was not baked by us."""
    state: str
    created: datetime
    images: dict[str, str]
    """References of the Docker images in it, by role."""
    commit: str
    snapshots: tuple[str, ...]
    tags: dict[str, str]


def find_builds(kind: str = "") -> tuple[Build, ...]:
    """Every machine image of ours, or those of one kind, the newest first."""
    by_kind: FilterTypeDef = {"Name": "tag:tyrell:kind", "Values": [kind]}
    by_any: FilterTypeDef = {"Name": "tag-key", "Values": ["tyrell:kind"]}
    pages = ec2().get_paginator("describe_images").paginate(Owners=["self"], Filters=[by_kind if kind else by_any])
    found = [_build(image) for page in pages for image in page["Images"]]
    return tuple(sorted(found, key=lambda build: build.created, reverse=True))


def find_changes(kind: str, inputs: Mapping[str, str]) -> tuple[str, ...]:
    """The inputs that are not as in the newest image of the kind; empty when there is none."""
    before = find_builds(kind)
    return changed_inputs(inputs, before[0].tags) if before else ()


def find_build(ami: str) -> Build:
    """The machine image of that id. Raises NotFound."""
    images = ec2().describe_images(Filters=[{"Name": "image-id", "Values": [ami]}])["Images"]
    if not images:
        raise NotFound(f"machine image {ami}", "`tyrell builds` shows those there are")
    return _build(images[0])


def find_named(name: str) -> Build | None:
    """Our machine image of that name, whatever its state."""
    images = ec2().describe_images(Owners=["self"], Filters=[{"Name": "name", "Values": [name]}])["Images"]
    return _build(images[0]) if images else None


def find_users() -> dict[str, tuple[str, ...]]:
    """The versions that are there, whatever their size, by the id of the machine image they are made of."""
    users: dict[str, tuple[str, ...]] = {}
    for name in find_stacks({"tyrell:kind": "version"}):
        stack = find_stack(name)
        if stack and "Image" in stack.parameters:
            ami = stack.parameters["Image"]
            users[ami] = (*users.get(ami, ()), name)
    return users


def find_orphans() -> tuple[str, ...]:
    """Snapshots of machine images that are gone: a deletion that was killed has left them."""
    by_key: FilterTypeDef = {"Name": "tag-key", "Values": ["tyrell:bake-key"]}
    pages = ec2().get_paginator("describe_snapshots").paginate(OwnerIds=["self"], Filters=[by_key])
    snapshots = {each["SnapshotId"] for page in pages for each in page["Snapshots"]}
    return tuple(sorted(snapshots - {each for build in find_builds() for each in build.snapshots}))


@step("delete machine image {build.ami}", system="ec2")
def delete_build(build: Build) -> Changes:
    """Deregister the machine image and delete its snapshots; what is gone already is no obstacle."""
    try:
        ec2().deregister_image(ImageId=build.ami)
    except ClientError as error:
        if not error.response["Error"]["Code"].startswith("InvalidAMIID"):
            raise
    for snapshot in build.snapshots:
        delete_snapshot.fn(snapshot)
    return (f"deleted machine image {build.ami} ({build.name}) and its snapshot {', '.join(build.snapshots)}",)


@step("delete snapshot {snapshot}", system="ec2")
def delete_snapshot(snapshot: str) -> Changes:
    """Delete a snapshot that no machine image has any more."""
    try:
        ec2().delete_snapshot(SnapshotId=snapshot)
    except ClientError as error:
        if error.response["Error"]["Code"] != "InvalidSnapshot.NotFound":
            raise
    return (f"deleted snapshot {snapshot}, whose machine image is gone",)


def _build(image: ImageTypeDef) -> Build:
    tags = {tag["Key"]: tag["Value"] for tag in image.get("Tags", [])}
    disks = [mapping["Ebs"] for mapping in image.get("BlockDeviceMappings", []) if "Ebs" in mapping]
    return Build(
        ami=image["ImageId"],
        name=image.get("Name", ""),
        kind=tags.get("tyrell:kind", ""),
        release=tags.get("tyrell:release", ""),
        key=tags.get("tyrell:bake-key", ""),
        state=image["State"],
        created=datetime.fromisoformat(image["CreationDate"]),
        images={name.removeprefix(REFERENCE): tags[name] for name in sorted(tags) if name.startswith(REFERENCE)},
        commit=tags.get("tyrell:commit", ""),
        snapshots=tuple(disk["SnapshotId"] for disk in disks if disk.get("SnapshotId")),
        tags=tags,
    )
