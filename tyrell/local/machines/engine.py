"""Machines: makes the instances of moto's EC2 real. Orders come from the API, states go into its records."""

from __future__ import annotations

import asyncio
import logging
import shutil
from threading import Thread
from typing import Any

import moto.ec2.urls

from tyrell.local.machines.driver import BootError, Driver, Machine
from tyrell.local.machines.process_driver import ProcessDriver
from tyrell.local.machines.records import Order, Records
from tyrell.local.settings import Settings

log = logging.getLogger(__name__)

TERMINATED_STAYS_SECONDS = 120
"""Then a terminated instance disappears from DescribeInstances; EC2 takes about an hour, moto keeps it for ever."""

STOP_SECONDS = 10


class Machines:
    """EC2 instances, made real by a driver: as groups of processes unless told otherwise.

    One thread runs them all, in one event loop. It lives as long as any process: the kernel kills a process whose
    starter ends.
    """

    def __init__(self, settings: Settings, driver: Driver | None = None) -> None:
        self._settings = settings
        self._driver = driver or ProcessDriver(settings)
        self._records = Records(settings.region)
        self._loop = asyncio.new_event_loop()
        self._thread = Thread(target=self._run, name="machines", daemon=True)
        self._machines: dict[str, Machine] = {}
        self._work: dict[str, asyncio.Task[None]] = {}
        self._plugging: set[asyncio.Task[None]] = set()
        self._replaced: Any = None

    def install(self) -> None:
        """Put our EC2 API in place of moto's, before the server starts.

        Raises UsageError when this computer cannot carry the driver's machines.
        """
        self._driver.prepare()
        self._replaced = moto.ec2.urls.url_paths["{0}/"]
        moto.ec2.urls.url_paths["{0}/"] = self._driver.api(self._order).dispatch

    def start(self) -> None:
        """Begin to carry out orders. Raises RuntimeError where the driver cannot work.

        Records begin empty, so nobody can attach the volumes that an earlier cloud has left.
        """
        shutil.rmtree(self._settings.volumes, ignore_errors=True)
        self._driver.start()
        self._thread.start()

    def stop(self) -> None:
        """End every machine and the thread, and give moto its EC2 API back."""
        if self._thread.is_alive():
            asyncio.run_coroutine_threadsafe(self._shut_down(), self._loop).result()
            self._driver.stop()
            self._loop.call_soon_threadsafe(self._loop.stop)
            self._thread.join(STOP_SECONDS)
        if self._replaced:
            moto.ec2.urls.url_paths["{0}/"] = self._replaced

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        self._loop.run_forever()
        self._loop.run_until_complete(self._loop.shutdown_default_executor())
        self._loop.close()

    def _order(self, instance_id: str, order: Order) -> None:
        """Called by the API, in any thread: carry this out, instead of an earlier order that is still at work."""
        self._loop.call_soon_threadsafe(self._begin, instance_id, order)

    def _begin(self, instance_id: str, order: Order) -> None:
        machine = self._machines.get(instance_id)
        if machine is None:
            machine = self._machines[instance_id] = self._driver.machine(instance_id)
        if order == "plug":  # beside what is being done: it may be a boot that waits for this
            plugging = self._loop.create_task(self._plug(instance_id, machine))
            self._plugging.add(plugging)
            plugging.add_done_callback(self._plugging.discard)
            return
        if previous := self._work.get(instance_id):
            previous.cancel()
        self._work[instance_id] = self._loop.create_task(self._carry_out(order, instance_id, machine))

    async def _carry_out(self, order: Order, instance_id: str, machine: Machine) -> None:
        async with machine.lock:
            match order:
                case "start":
                    await self._power_on(instance_id, machine)
                case "stop":
                    await self._power_off(instance_id, machine)
                case "reboot":
                    await machine.shut_down()
                    await self._power_on(instance_id, machine)
                case "terminate":
                    await self._terminate(instance_id, machine)

    async def _plug(self, instance_id: str, machine: Machine) -> None:
        try:
            self._records.plugged(instance_id, await machine.plug())
        except Exception:
            log.exception("%s does not have the volumes that it should have", instance_id)

    async def _power_on(self, instance_id: str, machine: Machine) -> None:
        try:
            failure = await machine.boot()
            self._records.move(instance_id, "pending", "running")
            reason = await failure
        except BootError as problem:
            reason = str(problem)
        except Exception as problem:
            log.exception("%s did not boot", instance_id)
            reason = f"the machine did not boot: {problem}"
        machine.say(f"powering off: {reason}")
        for state in ("pending", "running"):
            self._records.move(instance_id, state, "stopping", reason)
        await self._power_off(instance_id, machine)

    async def _power_off(self, instance_id: str, machine: Machine) -> None:
        await machine.shut_down()
        self._records.move(instance_id, "stopping", "stopped")

    async def _terminate(self, instance_id: str, machine: Machine) -> None:
        await machine.shut_down()
        await machine.remove()
        self._records.move(instance_id, "shutting-down", "terminated")
        del self._machines[instance_id], self._work[instance_id]
        self._loop.call_later(TERMINATED_STAYS_SECONDS, self._records.forget, instance_id)

    async def _shut_down(self) -> None:
        """Give every machine the same few seconds to end in order; the driver ends the rest."""
        if self._work:
            for work in self._work.values():
                work.cancel()
            await asyncio.wait(self._work.values(), timeout=STOP_SECONDS)
        ending = [asyncio.ensure_future(machine.shut_down()) for machine in self._machines.values()]
        if ending:
            await asyncio.wait(ending, timeout=STOP_SECONDS)
