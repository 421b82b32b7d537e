"""One instance as a container: boot, power off, removal, and its console."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from contextlib import suppress
from threading import Lock, Thread
from typing import Any

from docker.errors import APIError, ImageNotFound, NotFound
from docker.models.containers import Container

from tasks.errors import TyrellError
from tyrell.local.containers.computer import build_computer, container_name
from tyrell.local.containers.disks import create_disk, delete_disk
from tyrell.local.containers.docker_engine import docker_engine
from tyrell.local.containers.facts import Facts, read_facts
from tyrell.local.containers.firewall import Firewall
from tyrell.local.containers.images import capture, image_of
from tyrell.local.containers.metadata_service import MetadataService
from tyrell.local.containers.volumes import mount_volumes
from tyrell.local.machines.console import Console
from tyrell.local.machines.devices import device_name, read_devices, volume_folder
from tyrell.local.machines.driver import BootError
from tyrell.local.settings import Settings

SYSTEMD_SECONDS = 30
LOOK_EVERY_SECONDS = 0.1
SYSTEMD_STATES = frozenset({"initializing", "starting", "running", "degraded", "maintenance", "stopping"})
"""What `systemctl is-system-running` prints once there is a manager to ask: systemctl(1)."""

POWER_OFF_SECONDS = 30
"""For the units to stop; then the power is cut."""

LAST_WORDS_SECONDS = 5
"""For the console of a removed container to end."""

STOPPED_BY_ITSELF = "the instance powered itself off"


class ContainerMachine:
    """A `Machine`; see there.

    What blocks runs in threads, one at a time, and to its end even when its order was recalled meanwhile.
    """

    def __init__(
        self,
        settings: Settings,
        network: str,
        metadata_service: MetadataService,
        firewall: Firewall,
        instance_id: str,
    ) -> None:
        self._settings = settings
        self._network = network
        self._metadata_service = metadata_service
        self._firewall = firewall
        self._id = instance_id
        self._console = Console(settings.instances / instance_id / "console.log")
        self._loop = asyncio.get_running_loop()
        self._listener: Thread | None = None
        self._blocking = Lock()
        self._plugging = Lock()
        self._address = ""
        self.lock = asyncio.Lock()

    async def boot(self) -> asyncio.Future[str]:
        """Running means that systemd answers; cloud-init may still be at work, as on EC2."""
        try:
            facts = await asyncio.to_thread(read_facts, self._settings, self._id)
            self.say(f"booting {facts.metadata.image_id} at {facts.metadata.local_ipv4}")
            container, output = await asyncio.to_thread(self._power_on, facts)
            powered_off = self._follow(container, output)
            await self.plug()
            await self._await_systemd(container, powered_off)
        except ImageNotFound:
            raise BootError(f"{facts.metadata.image_id} has no contents: no Docker image of it is there") from None
        except (APIError, TyrellError) as problem:
            raise BootError(f"the container could not be started: {problem}") from problem
        return powered_off

    async def plug(self) -> dict[str, str]:
        """Volumes are mounts; see `volumes.py`. A container that is off has none."""
        return await asyncio.to_thread(self._plug)

    async def shut_down(self) -> None:
        """Power off as the power button does: systemd stops every unit."""
        await asyncio.to_thread(self._power_off)

    async def remove(self) -> None:
        """Remove the container and its volume."""
        await asyncio.to_thread(self._remove)
        self._console.close()

    async def freeze(self) -> None:
        """Pause the container."""
        await asyncio.to_thread(self._have, "running", Container.pause)

    async def thaw(self) -> None:
        """Unpause it."""
        await asyncio.to_thread(self._have, "paused", Container.unpause)

    async def cut_power(self) -> None:
        """Kill it."""
        await asyncio.to_thread(self._have, "running", Container.kill)

    def capture(self, image_id: str) -> None:
        """Make the contents of the machine image `image_id`; blocks. See `images.capture` for what it raises."""
        with self._blocking:
            capture(self._settings, self._id, image_id)

    def say(self, text: str) -> None:
        """One line on the console."""
        self._console.write("machine", text)

    def _power_on(self, facts: Facts) -> tuple[Container, Iterator[bytes]]:
        with self._blocking:
            self._address = facts.metadata.local_ipv4
            self._metadata_service.tell(facts)
            container = self._find()
            if container is None:
                create_disk(self._settings, self._id, copied_from=image_of(facts.metadata.image_location))
                container = build_computer(self._settings, self._network, facts)
            output: Any = container.attach(stream=True)  # before the start, to miss nothing
            container.start()
            container.reload()
            self._firewall.guard(self._address, container.attrs["State"]["Pid"])
            return container, output

    def _plug(self) -> dict[str, str]:
        with self._plugging:
            devices = read_devices(self._settings, self._id)
            container = self._find()
            if container and container.status == "running":
                folders = {
                    f"/dev/{device_name(name)}": volume_folder(self._settings, id_) for name, id_ in devices.items()
                }
                mount_volumes(container, folders)
            return devices

    def _power_off(self) -> None:
        with self._blocking:
            container = self._find()
            if container:
                container.stop(timeout=POWER_OFF_SECONDS)
            self._firewall.forget(self._address)

    def _remove(self) -> None:
        with self._blocking:
            container = self._find()
            if container:
                container.remove(force=True)
            if self._listener:
                self._listener.join(LAST_WORDS_SECONDS)
            delete_disk(self._id)
            self._metadata_service.forget(self._address)

    def _have(self, status: str, act: Callable[[Container], object]) -> None:
        """Act on the container when it is in that status."""
        container = self._find()
        if container and container.status == status:
            act(container)

    def _find(self) -> Container | None:
        try:
            return docker_engine().containers.get(container_name(self._id))
        except NotFound:
            return None

    async def _await_systemd(self, container: Container, powered_off: asyncio.Future[str]) -> None:
        """Until systemd's manager answers; what state it is in does not matter."""
        deadline = self._loop.time() + SYSTEMD_SECONDS
        state = ""
        while state not in SYSTEMD_STATES:
            if powered_off.done():
                raise BootError(powered_off.result())
            if self._loop.time() > deadline:
                raise BootError(f"systemd did not answer within {SYSTEMD_SECONDS} s; it says {state!r}")
            await asyncio.sleep(LOOK_EVERY_SECONDS)
            answer: Any = await asyncio.to_thread(container.exec_run, ["systemctl", "is-system-running"])
            state = answer.output.decode(errors="replace").strip()

    def _follow(self, container: Container, output: Iterator[bytes]) -> asyncio.Future[str]:
        """Write down what the machine says until it is off; the future has a result from then on."""
        powered_off: asyncio.Future[str] = self._loop.create_future()

        def listen() -> None:
            with suppress(NotFound, RuntimeError):  # the container is removed, or the cloud's loop is closed
                unfinished = b""
                for chunk in output:
                    *lines, unfinished = (unfinished + chunk).split(b"\n")
                    self._loop.call_soon_threadsafe(self._write, lines)
                container.wait()
                self._loop.call_soon_threadsafe(tell)

        def tell() -> None:
            if not powered_off.done():
                powered_off.set_result(STOPPED_BY_ITSELF)

        self._listener = Thread(target=listen, name=f"console of {self._id}", daemon=True)
        self._listener.start()
        return powered_off

    def _write(self, lines: list[bytes]) -> None:
        for line in lines:
            self._console.write("console", line.decode(errors="replace").rstrip())
