"""The driver whose machines are Docker containers."""

from __future__ import annotations

import logging
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from weakref import WeakValueDictionary

from tyrell.local.containers.base_ami import offer_base_ami
from tyrell.local.containers.base_image import ensure_base_image
from tyrell.local.containers.ec2_api import ImagesApi
from tyrell.local.containers.firewall import Firewall, check_programs
from tyrell.local.containers.machine import ContainerMachine
from tyrell.local.containers.metadata_service import ADDRESS, MetadataService
from tyrell.local.containers.network import Bridge
from tyrell.local.containers.sweep import sweep
from tyrell.local.machines.ec2_api import Ec2Api
from tyrell.local.machines.records import LOCK, Order
from tyrell.local.settings import Settings

log = logging.getLogger(__name__)


class ContainerDriver:
    """A `Driver`; see there. Everything it makes in the Docker Engine has the label of the cloud's home."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self.bridge = Bridge(settings)
        self._metadata_service = MetadataService(settings, self.bridge.name)
        self._firewall = Firewall(settings, self.bridge.name)
        self._machines: WeakValueDictionary[str, ContainerMachine] = WeakValueDictionary()
        self._captures = ThreadPoolExecutor(2, thread_name_prefix="capture")

    def api(self, order: Callable[[str, Order], None]) -> type[Ec2Api]:
        """Machine images can be captured."""
        return ImagesApi.with_capture(self._settings, order, self._begin_capture)

    def prepare(self) -> None:
        """Sweep, make the base image unless it is there, create the network."""
        sweep(self._settings)
        self.bridge.check()
        check_programs()
        ensure_base_image()
        self.bridge.create()

    def start(self) -> None:
        """Serve instance metadata, enforce security groups and offer the base machine image."""
        self.bridge.add(ADDRESS)
        self._metadata_service.start()
        self._firewall.start()
        offer_base_ami(self._settings)

    def machine(self, instance_id: str) -> ContainerMachine:
        """No container yet."""
        services = (self._metadata_service, self._firewall)
        machine = ContainerMachine(self._settings, self.bridge.name, *services, instance_id)
        self._machines[instance_id] = machine
        return machine

    def stop(self) -> None:
        """Stop serving, and sweep."""
        self._captures.shutdown()
        self._metadata_service.stop()
        self._firewall.stop()
        sweep(self._settings)

    def _begin_capture(self, instance_id: str, image: Any) -> None:
        self._captures.submit(self._capture, instance_id, image)

    def _capture(self, instance_id: str, image: Any) -> None:
        """https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_Image.html, `state` and `stateReason`."""
        state = "available"
        try:
            self._machines[instance_id].capture(image.id)
        except Exception:
            log.exception("%s could not be captured from %s", image.id, instance_id)
            state = "failed"
        with LOCK:
            image.state = state
