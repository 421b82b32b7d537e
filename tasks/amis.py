"""EC2 images: which machine image a release is made of."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tasks.bake_keys import WITHOUT
from tasks.clients import ec2
from tasks.errors import NotFound, UsageError
from tasks.model import Release
from tasks.roles import ImageKind

if TYPE_CHECKING:
    from types_boto3_ec2.type_defs import FilterTypeDef


def find_release(wanted: str = "", version: str = "", kind: ImageKind = "link") -> Release:
    """The release of that id, or made of that machine image (`ami-...`); without either, of the newest of its kind.

    `version` names it, else its contents do.

    Raises NotFound when there is no such image, UsageError when it does not say what it contains and no name is given.
    """
    filters: list[FilterTypeDef] = [{"Name": "tag:tyrell:kind", "Values": [kind]}]
    owners = ["self"]
    if wanted.startswith("ami-"):  # it may be another account's
        filters, owners = [{"Name": "image-id", "Values": [wanted]}], []
    elif wanted:
        filters.append({"Name": "tag:tyrell:release", "Values": [wanted]})
    images = ec2().describe_images(Filters=filters, Owners=owners)["Images"]
    if not images:
        raise NotFound(_shown(wanted, kind), f"bake one first (`tyrell local bake {kind}` on the embedded cloud)")
    newest = max(images, key=lambda image: image.get("CreationDate", ""))
    tags = {tag["Key"]: tag["Value"] for tag in newest.get("Tags", [])}
    name = version or tags.get("tyrell:release", "")
    if not name:
        raise UsageError(
            f"machine image {newest['ImageId']} has no tag tyrell:release; name the version with --version"
        )
    return Release(id=name, ami=newest["ImageId"])


def find_without(ami: str) -> tuple[str, ...]:
    """The services that the machine image was baked without."""
    tags = ec2().describe_tags(Filters=[{"Name": "resource-id", "Values": [ami]}, {"Name": "key", "Values": [WITHOUT]}])
    return tuple(name for tag in tags["Tags"] for name in tag["Value"].split())


def _shown(wanted: str, kind: ImageKind) -> str:
    if not wanted:
        return f"a machine image tagged tyrell:kind={kind}"
    return f"machine image {wanted}" if wanted.startswith("ami-") else f"release {wanted}"
