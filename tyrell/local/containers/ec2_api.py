"""The EC2 operations on machine images that can be captured from an instance."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from moto.core.responses import ActionResult
from moto.ec2.exceptions import EC2ClientError

from tyrell.local.containers.images import discard, location_of
from tyrell.local.machines.ec2_api import Ec2Api
from tyrell.local.machines.records import Order
from tyrell.local.settings import Settings

MAKES_IMAGES = frozenset({"pending", "running", "stopping", "stopped"})
"""https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_CreateImage.html"""


class ImagesApi(Ec2Api):
    """EC2's API of a cloud with containers."""

    _capture: Callable[[str, Any], None]

    @classmethod
    def with_capture(
        cls, settings: Settings, order: Callable[[str, Order], None], capture: Callable[[str, Any], None]
    ) -> type[Ec2Api]:
        """As `Ec2Api.of`. `capture` is to make the contents of a `pending` image record from an instance."""
        api = cls.of(settings, order)
        return type(cls.__name__, (api,), {"_capture": staticmethod(capture)})

    def create_image(self) -> ActionResult:
        """Pending until its contents are there. The tags of its snapshot are taken from moto, which knows none."""
        name, instance_id = self._get_param("Name"), self._get_param("InstanceId")
        self._refuse_taken_name(name)
        instance = self.ec2_backend.get_instance(instance_id)
        if instance.state not in MAKES_IMAGES:
            raise EC2ClientError("IncorrectState", f"The instance '{instance_id}' is {instance.state}.")
        specifications = self._get_param("TagSpecifications", [])
        self.params["TagSpecifications"] = [each for each in specifications if each["ResourceType"] != "snapshot"]
        result = super().create_image()
        answer: Any = result.result
        image = self.ec2_backend.amis[answer["ImageId"]]
        for specification in specifications:
            if specification["ResourceType"] == "snapshot":
                image.ebs_snapshot.add_tags({tag["Key"]: tag["Value"] for tag in specification["Tags"]})
        image.state, image.image_location = "pending", location_of(image.id)
        image.root_device_type = "ebs"
        image.root_device_name = instance.root_device_name
        image.virtualization_type, image.architecture = "hvm", "x86_64"
        self._capture(instance_id, image)
        return result

    def _delete_contents(self, location: str) -> None:
        discard(location)
