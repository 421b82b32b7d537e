"""EC2's operations on volumes: moto keeps the records, the data is a folder for each volume.

A volume goes from `attaching` to `attached`, and from `detaching` to away, once the machine really has it or not.
https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/ebs-describing-volumes.html
"""

from __future__ import annotations

import shutil
from collections.abc import Callable
from typing import Any

from moto.core.responses import ActionResult
from moto.ec2.exceptions import EC2ClientError, InvalidVolumeAttachmentError
from moto.ec2.responses import EC2Response

from tyrell.local.machines.devices import DEVICE, device_name, volume_folder
from tyrell.local.machines.records import DOWN, UP, Order, enter_attachment
from tyrell.local.settings import Settings


class VolumesApi(EC2Response):
    """moto attaches any volume to any instance, and lets go of it before the instance is shut down."""

    _settings: Settings
    _order: Callable[[str, Order], None]

    def create_volume(self) -> ActionResult:
        zone = self._get_param("AvailabilityZone")
        if self.ec2_backend.get_zone_by_name(zone) is None:
            raise EC2ClientError("InvalidZone.NotFound", f"The zone '{zone}' does not exist.")
        return super().create_volume()

    def delete_volume(self) -> ActionResult:
        result = super().delete_volume()
        shutil.rmtree(volume_folder(self._settings, self._get_param("VolumeId")), ignore_errors=True)
        return result

    def attach_volume(self) -> ActionResult:
        volume = self.ec2_backend.get_volume(self._get_param("VolumeId"))
        instance = self.ec2_backend.get_instance(self._get_param("InstanceId"))
        _refuse_to_attach(volume, instance, self._get_param("Device"))
        result = super().attach_volume()
        enter_attachment(volume, "attaching")
        self._order(instance.id, "plug")
        return result

    def detach_volume(self) -> ActionResult:
        """Once more is fine as long as it is under way."""
        volume = self.ec2_backend.get_volume(self._get_param("VolumeId"))
        attachment = volume.attachment
        if attachment is None:
            raise EC2ClientError("IncorrectState", f"Volume '{volume.id}' is in the 'available' state.")
        instance_id = self._get_param("InstanceId") or attachment.instance.id
        if instance_id != attachment.instance.id:
            raise InvalidVolumeAttachmentError(volume.id, instance_id)
        enter_attachment(volume, "detaching")
        self._order(instance_id, "plug")
        return ActionResult(
            {
                "VolumeId": volume.id,
                "InstanceId": instance_id,
                "Device": attachment.device,
                "State": "detaching",
                "AttachTime": attachment.attach_time,
            }
        )

    def terminate_instances(self) -> ActionResult:
        """Volumes that outlive their instance stay attached until its last process has ended: see `Records.move`."""
        outlive = [
            (instance.block_device_mapping, device, block)
            for instance in self.ec2_backend.get_multi_instances_by_id(self._get_param("InstanceIds", []))
            for device, block in instance.block_device_mapping.items()
            if not block.delete_on_termination
        ]
        for mapping, device, _ in outlive:
            del mapping[device]
        try:
            return super().terminate_instances()
        finally:
            for mapping, device, block in outlive:
                mapping[device] = block


def _refuse_to_attach(volume: Any, instance: Any, device: str) -> None:
    """An instance that is `pending` may have volumes: one of processes carries out its user data in that state.

    https://docs.aws.amazon.com/AWSEC2/latest/APIReference/errors-overview.html
    """
    if volume.attachment:
        raise EC2ClientError("VolumeInUse", f"{volume.id} is already attached to an instance")
    if instance.state not in UP | DOWN:
        raise EC2ClientError("IncorrectState", f"Instance '{instance.id}' is not 'running'.")
    if volume.zone.name != instance.placement.zone:
        raise EC2ClientError(
            "InvalidVolume.ZoneMismatch",
            f"The volume '{volume.id}' is not in the same availability zone as instance '{instance.id}'",
        )
    if not DEVICE.fullmatch(device):
        raise EC2ClientError("InvalidParameterValue", f"Value ({device}) for parameter device is invalid.")
    if any(device_name(device) == device_name(taken) for taken in instance.block_device_mapping):
        message = f"Invalid value '{device}' for unixDevice. Attachment point {device} is already in use"
        raise EC2ClientError("InvalidParameterValue", message)
