"""What all stacks of one embedded cloud share."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field

from tyrell.local.aws import client
from tyrell.local.cloudformation.errors import ValidationError
from tyrell.local.cloudformation.store import Store
from tyrell.local.settings import Settings


@dataclass(frozen=True)
class Cloud:
    """The settings, the records, and the word to stop: `stopping` ends all operations."""

    settings: Settings
    store: Store = field(default_factory=Store)
    stopping: threading.Event = field(default_factory=threading.Event)

    def zones(self, region: str) -> list[str]:
        """Names of the availability zones. Raises ValidationError for a region that is not the cloud's own."""
        if region != self.settings.region:
            raise ValidationError(f"Template error: the zones of {region} are unknown in {self.settings.region}")
        found = client(self.settings, "ec2").describe_availability_zones()["AvailabilityZones"]
        return sorted(zone["ZoneName"] for zone in found)

    def read_ssm(self, name: str) -> str:
        """The value of an SSM parameter. Raises ValidationError when there is none."""
        ssm = client(self.settings, "ssm")
        try:
            return str(ssm.get_parameter(Name=name)["Parameter"]["Value"])
        except ssm.exceptions.ParameterNotFound:
            raise ValidationError(f"Unable to fetch parameters [{name}] from parameter store") from None
