"""The EC2 operations that differ from moto's: real states, checked images, whole launch templates, console output."""

from __future__ import annotations

import logging
from collections.abc import Callable
from contextlib import suppress
from ipaddress import IPv4Network
from pathlib import Path
from typing import Any

from moto.core.common_types import TYPE_RESPONSE
from moto.core.responses import ActionResult
from moto.core.types import Base64EncodedString
from moto.core.utils import utcnow
from moto.ec2.exceptions import EC2ClientError, InvalidAMIIdError

from tyrell.local.machines.console import read_tail
from tyrell.local.machines.images import delete_contents
from tyrell.local.machines.records import LOCK, START, STOP, TERMINATE, Change, Order, enter, incorrect_state, state_of
from tyrell.local.machines.volumes_api import VolumesApi
from tyrell.local.settings import Settings

log = logging.getLogger(__name__)

FROM_TEMPLATE = (
    *("ImageId", "InstanceType", "KeyName", "UserData", "SecurityGroupIds", "SecurityGroups", "NetworkInterfaces"),
    *("IamInstanceProfile", "MetadataOptions", "Monitoring", "EbsOptimized", "InstanceInitiatedShutdownBehavior"),
)
"""Launch template data that RunInstances takes as its defaults. moto takes tags and block devices itself, and of these
only some, and UserData not as CreateLaunchTemplateVersion stores it."""


class Ec2Api(VolumesApi):
    """moto's EC2 API. moto makes one object per request, so a cloud's own things are attributes of its subclass."""

    @classmethod
    def of(cls, settings: Settings, order: Callable[[str, Order], None]) -> type[Ec2Api]:
        """The API of one cloud. `order` hears what has to happen to which instance."""
        return type(cls.__name__, (cls,), {"_settings": settings, "_order": staticmethod(order)})

    def call_action(self) -> TYPE_RESPONSE:
        """One operation at a time. What moto does not know or fails at is an AWS error, not moto's page of HTML."""
        with LOCK:
            try:
                return super().call_action()
            except NotImplementedError:
                return self._error("UnknownOperation", f"{self._get_action()} is not available in this cloud")
            except Exception as problem:
                log.exception("%s failed inside the emulator", self._get_action())
                return self._error("InternalError", f"{type(problem).__name__}: {problem}")

    def _error(self, code: str, message: str) -> TYPE_RESPONSE:
        status, headers, body = self.serialized(ActionResult(EC2ClientError(code, message)))
        return status, {**headers, "status": str(status)}, body

    def create_vpc(self) -> ActionResult:
        cidr = self._get_param("CidrBlock")
        with suppress(ValueError):  # moto has its own answer to what is no CIDR
            network = IPv4Network(cidr, strict=False)
            reachable = self._settings.reachable
            if not network.subnet_of(reachable):
                message = f"The CIDR '{cidr}' is outside {reachable}: nothing could reach its addresses."
                raise EC2ClientError("InvalidVpc.Range", message)
            for vpc in self.ec2_backend.vpcs.values():
                if network.overlaps(IPv4Network(vpc.cidr_block)):
                    message = f"The CIDR '{cidr}' overlaps {vpc.cidr_block} of {vpc.id}: all VPCs share this machine."
                    raise EC2ClientError("InvalidVpc.Range", message)
        return super().create_vpc()

    def run_instances(self) -> ActionResult:
        self._take_defaults_from_template()
        image_id = self._get_param("ImageId")
        if not image_id:
            raise EC2ClientError("MissingParameter", "The request must contain the parameter ImageId")
        if not self._get_param("SubnetId") and not self._get_param("NetworkInterfaces"):
            raise EC2ClientError("VPCIdNotSpecified", "No default VPC for this user: pass a SubnetId")
        if not self.ec2_backend.describe_images(ami_ids=[image_id]):
            raise InvalidAMIIdError(image_id)  # it was deregistered
        result = self._run_all_or_none()
        reservation: Any = result.result
        profile = self._get_param("IamInstanceProfile") or {}
        for index, instance in enumerate(reservation.instances):
            enter(instance, "pending")
            if profile and index:  # moto gives the profile to the first one only
                self.ec2_backend.associate_iam_instance_profile(instance.id, profile.get("Name"), profile.get("Arn"))
            self._order(instance.id, "start")
        return result

    def _run_all_or_none(self) -> ActionResult:
        """moto keeps what it made before it failed, a reservation at least: take that out again."""
        before = set(self.ec2_backend.reservations)
        try:
            return super().run_instances()
        except Exception:
            for made in set(self.ec2_backend.reservations) - before:
                del self.ec2_backend.reservations[made]
            raise

    def start_instances(self) -> ActionResult:
        return self._change(super().start_instances, START)

    def stop_instances(self) -> ActionResult:
        return self._change(super().stop_instances, STOP)

    def terminate_instances(self) -> ActionResult:
        return self._change(super().terminate_instances, TERMINATE)

    def reboot_instances(self) -> ActionResult:
        for instance in self.ec2_backend.get_multi_instances_by_id(self._get_param("InstanceIds", [])):
            if instance.state != "running":
                raise incorrect_state(instance, "rebooted")
            self._order(instance.id, "reboot")
        return ActionResult({})

    def get_console_output(self) -> ActionResult:
        instance_id = self._get_param("InstanceId")
        file = self._settings.instances / Path(instance_id).name / "console.log"
        if not file.is_file():  # a machine that was terminated long ago has one, but moto has forgotten it
            self.ec2_backend.get_instance(instance_id)
        output = Base64EncodedString.from_raw_string(read_tail(file).decode(errors="replace"))
        return ActionResult({"InstanceId": instance_id, "Timestamp": utcnow(), "Output": output})

    def register_image(self) -> ActionResult:
        self._refuse_taken_name(self._get_param("Name"))
        result = super().register_image()
        answer: Any = result.result
        image = self.ec2_backend.amis[answer["ImageId"]]
        image.image_location = self._get_param("ImageLocation")
        image.architecture = self._get_param("Architecture", "x86_64")
        image.virtualization_type = self._get_param("VirtualizationType", "hvm")
        image.root_device_name = self._get_param("RootDeviceName", image.root_device_name)
        image.root_device_type = "ebs"
        image.add_tags(self._parse_tag_specification("image").get("image", {}))
        return result

    def deregister_image(self) -> ActionResult:
        image = self.ec2_backend.amis.get(self._get_param("ImageId"))
        result = super().deregister_image()
        if image.image_location:
            self._delete_contents(image.image_location)
        return result

    def _refuse_taken_name(self, name: str) -> None:
        if any(image.name == name for image in self.ec2_backend.amis.values()):
            raise EC2ClientError("InvalidAMIName.Duplicate", f"AMI name {name} is already in use")

    def _delete_contents(self, location: str) -> None:
        delete_contents(self._settings, location)

    def _change(self, write: Callable[[], Any], change: Change) -> ActionResult:
        """Let moto check and `write`, then put the state in between in its place.

        Instances that are already there stay as they are. If one is in no state for it, nothing changes.
        """
        instances = self.ec2_backend.get_multi_instances_by_id(self._get_param("InstanceIds", []))
        for instance in instances:
            if instance.state not in change.begins_in | change.nothing_to_do_in:
                raise incorrect_state(instance, change.participle)
        moving = [instance for instance in instances if instance.state in change.begins_in]
        answer = [{"InstanceId": each.id, "PreviousState": state_of(each)} for each in instances]
        if moving:
            self.params["InstanceIds"] = [instance.id for instance in moving]
            write()
        for instance in moving:
            enter(instance, change.goes_through)
            self._order(instance.id, change.order)
        for entry, instance in zip(answer, instances, strict=True):
            entry["CurrentState"] = state_of(instance)
        return ActionResult({change.answer: answer})

    def _take_defaults_from_template(self) -> None:
        template = self._get_param("LaunchTemplate")
        if template:
            data = self.ec2_backend._get_template_from_args(template).data
            for key in FROM_TEMPLATE:
                if data.get(key) and not self._get_param(key):
                    self.params[key] = str(data[key]) if key == "UserData" else data[key]
