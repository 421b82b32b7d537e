"""Attaches this machine's data volume, and prints its id: `attach-volume NAME`, at first boot, before the services.

The volume is the one of this zone with the tag tyrell:volume=NAME. The machine that had it before may still be on its
way out, so this waits. The volume's device is /dev/xvdf; `mount-volume` makes it a folder. Run again it does the same.
Settings: INSTANCE_ID, or COREOS_PRIVATE_IPV4; AWS_REGION (us-east-1).
"""

import logging
import os
import sys
import threading
import time
from typing import TYPE_CHECKING

import boto3
from botocore.exceptions import BotoCoreError, ClientError

from link.cluster.machines import PATIENCE, Machine, NoInstance, find_own
from link.shared.environment import Environment, SettingError

if TYPE_CHECKING:
    from types_boto3_ec2 import EC2Client

DEVICE = "/dev/xvdf"
TAG = "tyrell:volume"
TIMEOUT = 240.0
LOOK_EVERY = 1.0

logger = logging.getLogger(__name__)


class NotYet(Exception):
    """The volume is not ours yet; the text says what is missing."""


def await_attached(name: str, environment: Environment, timeout: float = TIMEOUT) -> str:
    """Have the volume attached and return its id; raises `TimeoutError` that says what was missing last."""
    region = environment.text("AWS_REGION", "us-east-1")
    instance_id = environment.text("INSTANCE_ID", "")
    address = "" if instance_id else environment.address()
    ec2 = boto3.client("ec2", region_name=region, config=PATIENCE)
    deadline = time.monotonic() + timeout
    last = ""
    while True:
        try:
            return attach(ec2, name, find_own(address, instance_id, region))
        except (NotYet, NoInstance, BotoCoreError, ClientError) as error:
            if str(error) != last:
                logger.info("not yet: %s", error)
            last = str(error)
        if time.monotonic() > deadline:
            raise TimeoutError(f"volume {name} is not attached within {timeout:g} s: {last}")
        threading.Event().wait(LOOK_EVERY)


def attach(ec2: "EC2Client", name: str, own: Machine) -> str:
    """Do the next step towards an attached volume, and return its id once it is; raises `NotYet` until then."""
    wanted = {f"tag:{TAG}": name, "availability-zone": own.zone}
    found = ec2.describe_volumes(Filters=[{"Name": key, "Values": [value]} for key, value in wanted.items()])["Volumes"]
    if len(found) != 1:
        raise NotYet(f"{len(found)} volumes have the tag {TAG}={name} in {own.zone}; there must be one")
    volume = found[0]["VolumeId"]
    for attachment in found[0]["Attachments"]:
        if attachment["InstanceId"] != own.id:
            raise NotYet(f"{volume} is {attachment['State']}, to {attachment['InstanceId']}")
        if attachment["State"] == "attached":
            return volume
    if found[0]["State"] == "available":
        ec2.attach_volume(VolumeId=volume, InstanceId=own.id, Device=DEVICE)
    raise NotYet(f"{volume} is being attached")


def main() -> None:
    """Print the id. Exits 2 for a bad argument or setting, 1 when the volume cannot be had in time."""
    logging.basicConfig(level=logging.INFO, format="attach-volume: %(message)s", stream=sys.stderr)
    if len(sys.argv) != 2:
        print("attach-volume: give the name of the volume, the value of its tag tyrell:volume", file=sys.stderr)
        sys.exit(2)
    try:
        print(await_attached(sys.argv[1], Environment(os.environ)))
    except SettingError as error:
        print(f"attach-volume: {error}", file=sys.stderr)
        sys.exit(2)
    except TimeoutError as error:
        sys.exit(f"attach-volume: {error}")


if __name__ == "__main__":
    main()
