"""One machine as processes: an instance's root folder, its first boot, its units, its shutdown."""

from __future__ import annotations

import asyncio
import shutil
import signal

from tyrell.local.machines.cloud_init import CloudInitError, parse_user_data
from tyrell.local.machines.devices import device_name, link_devices, read_devices, volume_folder
from tyrell.local.machines.driver import BootError
from tyrell.local.machines.first_boot import run_commands, write_files
from tyrell.local.machines.images import unpacked_image
from tyrell.local.machines.metadata import Metadata, read_metadata
from tyrell.local.machines.processes import signal_machine
from tyrell.local.machines.supervisor import Supervisor
from tyrell.local.machines.system import System
from tyrell.local.machines.units import UnitError
from tyrell.local.settings import Settings

BOOTED = "/var/lib/cloud/instance/boot-finished"
"""cloud-init's own mark that the first boot is done."""


class ProcessMachine:
    """A `Machine`; see there."""

    def __init__(self, settings: Settings, instance_id: str) -> None:
        self._settings = settings
        self._id = instance_id
        self._system = System(settings, instance_id)
        self._supervisor: Supervisor | None = None
        self._plugging = asyncio.Lock()
        self.lock = asyncio.Lock()

    async def boot(self) -> asyncio.Future[str]:
        """Come up: unpack the image unless this is a later boot, carry out the user data, start the enabled units.

        Returns what will hold the reason once a unit's failure powers the machine off. Raises BootError.
        """
        metadata = await asyncio.to_thread(read_metadata, self._settings, self._id)
        self.say(f"booting {metadata.image_id} at {metadata.local_ipv4}")
        self._supervisor = Supervisor(self._system)
        try:
            if self._system.path(BOOTED).exists():
                await self.plug()
                await self._supervisor.start(self._supervisor.enabled())
            else:
                await self._first_boot(metadata, self._supervisor)
        except (CloudInitError, UnitError) as problem:
            raise BootError(str(problem)) from problem
        if self._supervisor.failure.done():
            raise BootError(self._supervisor.failure.result())
        self.say("running")
        return self._supervisor.failure

    async def plug(self) -> dict[str, str]:
        """Volumes are links in /dev of the root folder. There is no such folder before the image is unpacked."""
        async with self._plugging:
            devices = await asyncio.to_thread(read_devices, self._settings, self._id)
            if self._system.root.exists():
                folders = {device_name(name): volume_folder(self._settings, id_) for name, id_ in devices.items()}
                link_devices(self._system.path("/dev"), folders)
            return devices

    async def shut_down(self) -> None:
        """Stop every process; returns when they are gone. Twice is fine."""
        if self._supervisor:
            await self._supervisor.stop()
            self._supervisor = None
            self.say("stopped")

    async def remove(self) -> None:
        """Delete the root folder; the console output stays."""
        await asyncio.to_thread(shutil.rmtree, self._system.root, ignore_errors=True)
        self._system.console.close()

    async def freeze(self) -> None:
        """Stop all its processes where they are."""
        await asyncio.to_thread(signal_machine, self._id, signal.SIGSTOP)

    async def thaw(self) -> None:
        """Have them go on."""
        await asyncio.to_thread(signal_machine, self._id, signal.SIGCONT)

    async def cut_power(self) -> None:
        """Kill them."""
        await asyncio.to_thread(signal_machine, self._id, signal.SIGKILL)

    def say(self, text: str) -> None:
        """One line of the machine's own on its console."""
        self._system.console.write("machine", text)

    async def _first_boot(self, metadata: Metadata, supervisor: Supervisor) -> None:
        """The order is cloud-init's: write_files before the units that the image enables, runcmd after them."""
        user_data = parse_user_data(metadata.user_data, metadata.instance_data)
        await self._unpack(metadata)
        await self.plug()
        write_files(self._system, user_data.files)
        await supervisor.start(supervisor.enabled())
        await run_commands(self._system, supervisor, user_data)
        booted = self._system.path(BOOTED)
        booted.parent.mkdir(parents=True, exist_ok=True)
        booted.touch()

    async def _unpack(self, metadata: Metadata) -> None:
        if not metadata.image_location:
            raise BootError(f"{metadata.image_id} has no contents: it was not made by register_image")
        image = await asyncio.to_thread(unpacked_image, self._settings, metadata.image_location)
        root = self._system.root
        shutil.rmtree(root, ignore_errors=True)  # of a boot that was interrupted
        await asyncio.to_thread(shutil.copytree, image, root, symlinks=True)
        self._system.path("/root").mkdir(exist_ok=True)
        self._system.path("/tmp").mkdir(exist_ok=True)  # noqa: S108  the machine's own
