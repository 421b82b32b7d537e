"""The embedded cloud's process: moto's API, the engines that make its records real, and a Prefect server beside it."""

from __future__ import annotations

import argparse
import logging
import os
import signal
import sys
import threading
from typing import Protocol

from tasks.errors import TyrellError
from tyrell.local.autoscaling.engine import AutoScaling
from tyrell.local.balancers.addresses import Interface
from tyrell.local.balancers.engine import Balancers
from tyrell.local.cloudformation.engine import CloudFormation
from tyrell.local.faults.balancers import without_health
from tyrell.local.faults.machines import FaultyDriver
from tyrell.local.faults.servers import FaultyServers
from tyrell.local.faults.switches import Switches
from tyrell.local.link_image import bake_link_image
from tyrell.local.machines.driver import Driver
from tyrell.local.machines.engine import Machines
from tyrell.local.machines.process_driver import ProcessDriver
from tyrell.local.prefect_server import PrefectServer
from tyrell.local.server import start_server
from tyrell.local.settings import Settings
from tyrell.local.state import State, write_state

LOOK_AFTER_SECONDS = 1.0

logger = logging.getLogger("tyrell.local")


class Engine(Protocol):
    """What the daemon asks of every part of the cloud."""

    def install(self) -> None:
        """Put its API in place before the server starts."""

    def start(self) -> None:
        """Start its threads."""

    def stop(self) -> None:
        """Return when everything it started is gone."""


def make_engines(settings: Settings, faults: Switches) -> list[Engine]:
    """The cloud's parts, in the order in which they start; `faults` is what goes wrong in them."""
    driver: Driver = ProcessDriver(settings)
    interface: Interface | None = None
    if settings.machines == "docker":
        from tyrell.local.containers.driver import ContainerDriver  # noqa: PLC0415  nobody else needs Docker's SDK

        driver = ContainerDriver(settings)
        interface = driver.bridge
    return [
        Machines(settings, FaultyDriver(driver, settings, faults)),
        Balancers(settings, interface, lambda balancer: without_health(balancer, faults)),
        AutoScaling(settings),
        CloudFormation(settings),
    ]


def offer_images(settings: Settings) -> None:
    """The Link image of processes is what lies in the repository; containers boot what was captured from another."""
    if settings.machines == "processes":
        bake_link_image(settings)


def run(settings: Settings, *, prefect_port: int) -> None:
    """Serve the cloud until SIGTERM or SIGINT; `prefect_port` 0 leaves the Prefect server out."""
    ended = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: ended.set())
    faults = Switches()
    prefect = PrefectServer(settings, prefect_port) if prefect_port else None
    engines = make_engines(settings, faults)
    engines.append(FaultyServers(settings, faults, prefect.stand_still if prefect else lambda _: None))
    for engine in engines:
        engine.install()
    server = start_server(settings, faults)
    try:
        for engine in engines:
            engine.start()
        if prefect:
            prefect.start()
        offer_images(settings)
        if prefect:
            prefect.await_ready()
        write_state(State(pid=os.getpid(), settings=settings, prefect_port=prefect_port))
        logger.info("ready at %s", settings.endpoint)
        while not ended.wait(LOOK_AFTER_SECONDS):
            if prefect:
                prefect.revive()
    finally:
        logger.info("stopping")
        for engine in reversed(engines):
            engine.stop()
        if prefect:
            prefect.stop()
        server.stop()


def main() -> None:
    """`python -m tyrell.local.daemon SETTINGS-AS-JSON --prefect-port N`."""
    parser = argparse.ArgumentParser()
    parser.add_argument("settings", type=Settings.model_validate_json)
    parser.add_argument("--prefect-port", type=int, default=0)
    arguments = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    try:
        run(arguments.settings, prefect_port=arguments.prefect_port)
    except (OSError, TyrellError) as error:
        sys.exit(f"the embedded cloud cannot start: {error}")


if __name__ == "__main__":
    main()
