"""Volumes of machines: which an instance has, where their data lies, what they are called inside.

A volume is a folder of the cloud's home instead of a block device, and so is its device: nobody makes a file system.
"""

from __future__ import annotations

import re
from pathlib import Path

from tyrell.local.aws import client
from tyrell.local.settings import Settings

DEVICE = re.compile(r"/dev/(?:sd|xvd)[b-z]")
"""https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/device_naming.html"""


def volume_folder(settings: Settings, volume_id: str) -> Path:
    """Where the data of a volume lies; it may not be there before the volume is first attached."""
    return settings.volumes.absolute() / Path(volume_id).name


def device_name(device: str) -> str:
    """`/dev/sdf` as the machine calls it, `xvdf`: Debian's kernel does so on EC2."""
    return f"xvd{device.removeprefix('/dev/').removeprefix('xvd').removeprefix('sd')}"


def read_devices(settings: Settings, instance_id: str) -> dict[str, str]:
    """The volumes besides the root volume that EC2 says an instance has, or is to get; ids by device (`/dev/sdf`)."""
    own = [{"Name": "attachment.instance-id", "Values": [instance_id]}]
    volumes = client(settings, "ec2").describe_volumes(Filters=own)["Volumes"]
    return {
        attachment["Device"]: volume["VolumeId"]
        for volume in volumes
        for attachment in volume["Attachments"]
        if attachment["State"] != "detaching" and DEVICE.fullmatch(attachment["Device"])
    }


def link_devices(folder: Path, devices: dict[str, Path]) -> None:
    """Make `folder` hold a symbolic link for each of these devices to the folder of its volume, and for no other."""
    folder.mkdir(exist_ok=True)
    for link in folder.glob("xvd?"):
        if link.readlink() != devices.get(link.name):
            link.unlink()
    for name, volume in devices.items():
        volume.mkdir(parents=True, exist_ok=True)
        if not (folder / name).is_symlink():
            (folder / name).symlink_to(volume)
