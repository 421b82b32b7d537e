"""The machine image that every bake begins with: Debian 12, from Debian's own account."""

from __future__ import annotations

from botocore.exceptions import ClientError

from tasks.clients import ec2, ssm
from tasks.errors import NotFound

NEWEST = "/aws/service/debian/release/12/latest/amd64"
"""https://wiki.debian.org/Cloud/AmazonEC2Image/Bookworm"""


def find_base(ami: str = "") -> str:
    """The id of the newest base image, or `ami` itself when it is there to be used. Raises NotFound."""
    wanted = ami or _newest()
    images = ec2().describe_images(Filters=[{"Name": "image-id", "Values": [wanted]}])["Images"]
    if not images or images[0]["State"] != "available":
        raise NotFound(f"base machine image {wanted}", f"leave out --base, and the newest of {NEWEST} is taken")
    return wanted


def _newest() -> str:
    try:
        return ssm().get_parameter(Name=NEWEST)["Parameter"]["Value"]
    except ClientError as error:
        if error.response["Error"]["Code"] != "ParameterNotFound":
            raise
        raise NotFound(
            f"the public parameter {NEWEST}, Debian 12,",
            "name a base image with --base; on the embedded cloud `tyrell local up --machines docker` offers one",
        ) from None
