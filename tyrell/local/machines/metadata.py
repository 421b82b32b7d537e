"""What a machine learns about itself, asked through the AWS API as a real one asks its metadata service."""

from __future__ import annotations

import base64
from dataclasses import dataclass
from typing import Any

from tyrell.local.aws import client
from tyrell.local.settings import Settings


@dataclass(frozen=True)
class Metadata:
    """An instance's facts. `image_location` is `bucket/key` of its AMI's contents, empty when the AMI has none."""

    instance_id: str
    instance_type: str
    image_id: str
    image_location: str
    local_ipv4: str
    local_hostname: str
    region: str
    availability_zone: str
    user_data: str

    @property
    def instance_data(self) -> dict[str, Any]:
        """The variables of a `## template: jinja` user data, named as cloud-init names them.

        https://cloudinit.readthedocs.io/en/latest/explanation/instancedata.html
        """
        v1 = {
            "instance_id": self.instance_id,
            "local_hostname": self.local_hostname,
            "region": self.region,
            "availability_zone": self.availability_zone,
        }
        meta_data = {
            "instance_id": self.instance_id,
            "instance_type": self.instance_type,
            "local_ipv4": self.local_ipv4,
            "local_hostname": self.local_hostname,
        }
        return {"v1": v1, "ds": {"meta_data": meta_data}}


def read_metadata(settings: Settings, instance_id: str) -> Metadata:
    """Ask EC2 about one instance. Raises botocore's ClientError."""
    ec2 = client(settings, "ec2")
    instance = ec2.describe_instances(InstanceIds=[instance_id])["Reservations"][0]["Instances"][0]
    images = ec2.describe_images(ImageIds=[instance["ImageId"]])["Images"]
    attribute = ec2.describe_instance_attribute(InstanceId=instance_id, Attribute="userData")
    encoded = attribute.get("UserData", {}).get("Value", "")
    return Metadata(
        instance_id=instance_id,
        instance_type=instance["InstanceType"],
        image_id=instance["ImageId"],
        image_location=images[0].get("ImageLocation", "") if images else "",
        local_ipv4=instance["PrivateIpAddress"],
        local_hostname=instance["PrivateDnsName"],
        region=settings.region,
        availability_zone=instance["Placement"]["AvailabilityZone"],
        user_data=base64.b64decode(encoded).decode(),
    )
