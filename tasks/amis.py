"""EC2 images: which machine image a release is made of."""

from __future__ import annotations

from tasks.clients import ec2
from tasks.errors import NotFound, UsageError
from tasks.model import Release


def find_release(ami: str = "", version: str = "") -> Release:
    """The release made of `ami`, or of the newest Link image of this account; `version` names it, else its contents do.

    Raises NotFound when there is no such image, UsageError when it does not say what it contains and no name is given.
    """
    if ami:
        images = ec2().describe_images(Filters=[{"Name": "image-id", "Values": [ami]}])["Images"]
    else:
        images = ec2().describe_images(Owners=["self"], Filters=[{"Name": "tag:tyrell:kind", "Values": ["link"]}])[
            "Images"
        ]
    if not images:
        wanted = f"machine image {ami}" if ami else "a machine image tagged tyrell:kind=link"
        raise NotFound(wanted, "bake one first (`tyrell local bake` on the embedded cloud)")
    newest = max(images, key=lambda image: image.get("CreationDate", ""))
    tags = {tag["Key"]: tag["Value"] for tag in newest.get("Tags", [])}
    name = version or tags.get("tyrell:release", "")
    if not name:
        raise UsageError(
            f"machine image {newest['ImageId']} has no tag tyrell:release; name the version with --version"
        )
    return Release(id=name, ami=newest["ImageId"])
