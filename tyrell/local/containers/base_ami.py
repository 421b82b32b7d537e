"""Debian 12 as AWS offers it: a public machine image of Debian's account, and the public parameter that names it.

https://wiki.debian.org/Cloud/AmazonEC2Image/Bookworm
"""

from __future__ import annotations

from typing import Any

from moto.core.utils import utcnow
from moto.ec2.models import ec2_backends
from moto.ssm import models as ssm

from tyrell.local.aws import client
from tyrell.local.containers.base_image import base_image, recipe_digest
from tyrell.local.machines.records import LOCK
from tyrell.local.settings import ACCOUNT, Settings

OWNER = "136693071363"
"""Debian's AWS account."""

PARAMETER = "/aws/service/debian/release/12/latest/amd64"


def offer_base_ami(settings: Settings) -> str:
    """Register the base image and publish its id; returns that. Once in the life of a cloud's API."""
    registered = client(settings, "ec2").register_image(
        Name=f"debian-12-amd64-{recipe_digest()}",
        Description="Debian 12",
        ImageLocation=base_image(),
        Architecture="x86_64",
        RootDeviceName="/dev/xvda",
        VirtualizationType="hvm",
    )
    image_id = str(registered["ImageId"])
    with LOCK:  # nobody but AWS can do the rest through the API
        image = ec2_backends[ACCOUNT][settings.region].amis[image_id]
        image.owner_id = image.ebs_snapshot.owner_id = OWNER
        image.launch_permissions = [{"Group": "all"}]
    parameter_class: Any = ssm.Parameter
    parameter = parameter_class(
        account_id=ACCOUNT,
        name=PARAMETER,
        value=image_id,
        parameter_type="String",
        description=None,
        allowed_pattern=None,
        keyid=None,
        last_modified_date=utcnow(),
        version=1,
        data_type="aws:ec2:image",
    )
    ssm.ssm_backends[ACCOUNT][settings.region]._parameters[PARAMETER] = [parameter]
    return image_id
