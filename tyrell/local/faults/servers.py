"""What runs lean on, with the faults that it is given: the Prefect server, and the locks in etcd."""

from __future__ import annotations

import json
import logging
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from fnmatch import fnmatchcase

from tasks.errors import EtcdUnreachable
from tasks.etcd import Etcd
from tasks.locks import PREFIX
from tyrell.local.aws import client
from tyrell.local.faults.switches import Switches
from tyrell.local.settings import Settings

LOOK_EVERY_SECONDS = 0.05
ETCD_PORT = 2379

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
        for address in self._addresses(machines):
            etcd = Etcd("", (address,), ETCD_PORT)
            with suppress(EtcdUnreachable):
                for lock in etcd.list(PREFIX):
                    logger.info("a fault: the lock %s ends", lock.key)
                    etcd.revoke(json.loads(lock.value)["lease"])
                return

    def _addresses(self, machines: str) -> Iterator[str]:
        """Of the instances that run and are called so."""
        running = [{"Name": "instance-state-name", "Values": ["running"]}]
        for page in client(self._settings, "ec2").get_paginator("describe_instances").paginate(Filters=running):
            for instance in (each for reservation in page["Reservations"] for each in reservation["Instances"]):
                tags = {tag["Key"]: tag["Value"] for tag in instance.get("Tags", [])}
                if fnmatchcase(tags.get("Name", ""), machines):
                    yield instance["PrivateIpAddress"]
