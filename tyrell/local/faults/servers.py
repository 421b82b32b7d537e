"""What runs lean on, with the faults that it is given: the Prefect server, and the locks in etcd."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from contextlib import suppress

from tasks.errors import EtcdUnreachable
from tyrell.local.aws import client
from tyrell.local.faults.switches import Switches
from tyrell.local.settings import Settings

LOOK_EVERY_SECONDS = 0.05

logger = logging.getLogger(__name__)


class FaultyServers:
    """A thread that carries out these faults; `stand_still(True)` has the Prefect server answer nobody."""

    def __init__(self, settings: Settings, switches: Switches, stand_still: Callable[[bool], None]) -> None:
        self._settings = settings
        self._switches = switches
        self._stand_still = stand_still
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run, name="faulty servers", daemon=True)

    def install(self) -> None:
        """It has no API of its own."""

    def start(self) -> None:
        """Begin to look."""
        self._thread.start()

    def stop(self) -> None:
        """Return when the Prefect server answers again."""
        self._ended.set()
        if self._thread.is_alive():
            self._thread.join()

    def _run(self) -> None:
        gone = False
        while not self._ended.wait(LOOK_EVERY_SECONDS):
            if self._switches.hides_prefect != gone:
                gone = not gone
                self._stand_still(gone)
            for fault in self._switches.ending_leases():
                self._end_locks(fault.machines)
        if gone:
            self._stand_still(False)

    def _end_locks(self, machines: str) -> None:
        from tasks.core_services import CORE_SERVICES  # noqa: PLC0415  Prefect is slow to import, and hardly ever needed
        from tasks.etcd import Etcd  # noqa: PLC0415
        from tasks.locks import locks_in  # noqa: PLC0415
        from tasks.roles import load_role  # noqa: PLC0415

        for address in self._addresses(machines):
            etcd = Etcd("", (address,), load_role(CORE_SERVICES).health.port)
            with suppress(EtcdUnreachable):
                for lock in locks_in(etcd):
                    logger.info("a fault: the lock of %s ends", lock.role)
                    etcd.revoke(lock.lease)
                return

    def _addresses(self, machines: str) -> list[str]:
        """Of the instances that run and are called so."""
        called = [
            {"Name": "instance-state-name", "Values": ["running"]},
            {"Name": "tag:Name", "Values": [machines]},
        ]
        pages = client(self._settings, "ec2").get_paginator("describe_instances").paginate(Filters=called)
        found = [each for page in pages for reservation in page["Reservations"] for each in reservation["Instances"]]
        return [each["PrivateIpAddress"] for each in found]
