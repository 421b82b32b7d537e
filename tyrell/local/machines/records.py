"""An instance's state in moto's books. All that we know of moto's private EC2 models is in this file.

moto answers `running`, `stopped` and `terminated` at once; here the states in between last as long as they really do:
https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/ec2-instance-lifecycle.html
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from threading import RLock
from typing import Any, Literal

from moto.ec2.exceptions import EC2ClientError, InvalidInstanceIdError, InvalidNetworkInterfaceIdError
from moto.ec2.models import ec2_backends
from moto.ec2.models.instances import InstanceState, StateReason

from tyrell.local.settings import ACCOUNT

LOCK = RLock()
"""Held while an EC2 operation runs and while a state changes: moto's models are not thread-safe, and nobody may see
the `running` that moto writes before we put `pending` in its place."""

CODES = {"pending": 0, "running": 16, "shutting-down": 32, "terminated": 48, "stopping": 64, "stopped": 80}
"""https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_InstanceState.html"""


Order = Literal["start", "stop", "reboot", "terminate", "plug"]
"""`plug`: the instance's volumes have changed."""


@dataclass(frozen=True)
class Change:
    """A change of state that a user can ask for: where it begins, and where it is done or under way already."""

    order: Order
    begins_in: frozenset[str]
    goes_through: str
    nothing_to_do_in: frozenset[str]
    answer: str
    participle: str


UP = frozenset({"pending", "running"})
DOWN = frozenset({"stopping", "stopped"})
GONE = frozenset({"shutting-down", "terminated"})

START = Change("start", frozenset({"stopped"}), "pending", UP, "StartingInstances", "started")
STOP = Change("stop", UP, "stopping", DOWN, "StoppingInstances", "stopped")
TERMINATE = Change("terminate", UP | DOWN, "shutting-down", GONE, "TerminatingInstances", "terminated")


def enter(instance: Any, state: str) -> None:
    """Write the state of moto's `instance`; the reasons that moto wrote stay."""
    instance._state = InstanceState(state, CODES[state])


def enter_attachment(volume: Any, state: str) -> None:
    """Write the state in which moto's `volume` is attached, also where its instance tells it."""
    attachment = volume.attachment
    attachment.status = attachment.instance.block_device_mapping[attachment.device].status = state


def state_of(instance: Any) -> dict[str, Any]:
    """The state as the API answers it."""
    return {"Name": instance.state, "Code": instance.state_code}


def incorrect_state(instance: Any, participle: str) -> EC2ClientError:
    """The answer to who wants an instance `participle` that cannot be."""
    message = (
        f"The instance '{instance.id}' is {instance.state}: it is not in a state from which it can be {participle}."
    )
    return EC2ClientError("IncorrectInstanceState", message)


class Records:
    """The instances of one region."""

    def __init__(self, region: str) -> None:
        self._region = region

    def move(self, instance_id: str, old: str, new: str, reason: str | None = None) -> bool:
        """Move an instance from state `old` to `new`; False, and nothing changed, when it is not in `old` any more.

        `reason` becomes StateReason and StateTransitionReason: the machine stopped itself.
        """
        with LOCK:
            instance = self._find(instance_id)
            if instance is None or instance.state != old:
                return False
            enter(instance, new)
            if reason:
                message = f"Client.InstanceInitiatedShutdown: {reason}"
                instance.state_reason = StateReason(message, "Client.InstanceInitiatedShutdown")
                instance._reason = message
            if new == "terminated":
                self._release_addresses(instance)
                self._release_volumes(instance)
            return True

    def plugged(self, instance_id: str, devices: Mapping[str, str]) -> None:
        """The machine has these volumes (ids by device) and no others: say so of those that came or went."""
        with LOCK:
            instance = self._find(instance_id)
            for device, block in list(instance.block_device_mapping.items()) if instance else []:
                volume = self._backend.get_volume(block.volume_id)
                if volume.attachment.status == "attaching" and devices.get(device) == volume.id:
                    enter_attachment(volume, "attached")
                elif volume.attachment.status == "detaching" and device not in devices:
                    self._backend.detach_volume(volume.id, instance_id, device)

    def forget(self, instance_id: str) -> None:
        """Drop an instance that is terminated, as EC2 does after a while. Unknown instances are fine."""
        with LOCK:
            reservations = self._backend.reservations
            for key, reservation in list(reservations.items()):
                reservation.instances = [kept for kept in reservation.instances if kept.id != instance_id]
                if not reservation.instances:
                    del reservations[key]

    @property
    def _backend(self) -> Any:
        return ec2_backends[ACCOUNT][self._region]

    def _find(self, instance_id: str) -> Any:
        with suppress(InvalidInstanceIdError):
            return self._backend.get_instance(instance_id)
        return None

    def _release_volumes(self, instance: Any) -> None:
        """Those that outlive the instance can be attached to another one from now on."""
        for device, block in list(instance.block_device_mapping.items()):
            self._backend.detach_volume(block.volume_id, instance.id, device)

    @staticmethod
    def _release_addresses(instance: Any) -> None:
        """Network interfaces go with their instance, not earlier: until now its processes held the address."""
        for interface in instance.nics.values():
            with suppress(InvalidNetworkInterfaceIdError):
                interface.delete()
        # moto gives them back once more when the object is garbage collected, perhaps from under the next owner.
        instance._private_ips.clear()
