"""The driver whose machines are groups of processes on loopback addresses."""

from __future__ import annotations

import platform
import shutil
from collections.abc import Callable

from tyrell.local.machines.ec2_api import Ec2Api
from tyrell.local.machines.machine import ProcessMachine
from tyrell.local.machines.processes import DIES_WITH_ITS_PARENT, sweep
from tyrell.local.machines.records import Order
from tyrell.local.settings import Settings


class ProcessDriver:
    """A `Driver`; see there."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings

    def api(self, order: Callable[[str, Order], None]) -> type[Ec2Api]:
        """The operations that are the same for all kinds of machines."""
        return Ec2Api.of(self._settings, order)

    def prepare(self) -> None:
        """Loopback addresses are there already."""

    def start(self) -> None:
        """End what a killed cloud left. Raises RuntimeError where machines cannot be processes."""
        if platform.system() != "Linux" or shutil.which(DIES_WITH_ITS_PARENT[0]) is None:
            raise RuntimeError(
                "the embedded cloud runs machines as processes on loopback addresses: "
                "it needs Linux and the program setpriv (package util-linux)"
            )
        sweep(self._settings)

    def machine(self, instance_id: str) -> ProcessMachine:
        """Nothing runs yet."""
        return ProcessMachine(self._settings, instance_id)

    def stop(self) -> None:
        """End every process that is left."""
        sweep(self._settings)
