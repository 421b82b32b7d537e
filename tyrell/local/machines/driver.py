"""The seam between EC2's records and what an instance is made of.

The engine knows states and orders; a driver knows how a machine boots, how it ends, and what it says. There are two:
`process_driver.py` beside this file, and `tyrell.local.containers`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Protocol

from tyrell.local.machines.ec2_api import Ec2Api
from tyrell.local.machines.records import Order


class BootError(Exception):
    """Why a machine does not come up, in one sentence."""


class Machine(Protocol):
    """One instance. All methods run in the engine's event loop; hold `lock` for boot, shut_down and remove."""

    lock: asyncio.Lock

    async def boot(self) -> asyncio.Future[str]:
        """Come up, for the first time or again with the same disk.

        Returns what will hold the reason once the machine powers itself off. Raises BootError.
        """

    async def plug(self) -> dict[str, str]:
        """Have the volumes that EC2 says are attached and no others, unless it is off: then at its next boot.

        May run beside all others, `boot` too: a boot may be waiting for a volume. Returns the volumes, ids by device.
        """

    async def shut_down(self) -> None:
        """End everything that runs on it; the disk stays. Twice is fine."""

    async def remove(self) -> None:
        """Delete its disk; the console output stays."""

    async def freeze(self) -> None:
        """Have everything on it stand still, as when its host is overloaded. Twice is fine."""

    async def thaw(self) -> None:
        """Have it go on. Twice is fine."""

    async def cut_power(self) -> None:
        """End everything that runs on it at once, without a chance to end in order."""

    def say(self, text: str) -> None:
        """One line on its console that is not its own."""


class Driver(Protocol):
    """All machines of one kind in one cloud."""

    def api(self, order: Callable[[str, Order], None]) -> type[Ec2Api]:
        """EC2's API over such machines; `order` hears what has to happen to which instance."""

    def prepare(self) -> None:
        """Remove what a killed cloud left, and make the address that the API will listen on.

        Raises UsageError when this computer cannot carry such machines.
        """

    def start(self) -> None:
        """Make ready to boot machines; the API answers already."""

    def machine(self, instance_id: str) -> Machine:
        """The machine of one instance, which has not booted yet. Called in the engine's event loop."""

    def stop(self) -> None:
        """End and remove whatever is left of all machines."""
