"""Machines of any driver, with the faults that they are given."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from tyrell.local.aws import client
from tyrell.local.faults.switches import Switches
from tyrell.local.machines.driver import Driver, Machine
from tyrell.local.machines.ec2_api import Ec2Api
from tyrell.local.machines.records import Order
from tyrell.local.settings import Settings

LOOK_EVERY_SECONDS = 0.05


class FaultyDriver:
    """A `Driver` around another one; see there."""

    def __init__(self, driver: Driver, settings: Settings, switches: Switches) -> None:
        self._driver = driver
        self._settings = settings
        self._switches = switches

    def api(self, order: Callable[[str, Order], None]) -> type[Ec2Api]:
        """The driver's own."""
        return self._driver.api(order)

    def prepare(self) -> None:
        """As the driver does."""
        self._driver.prepare()

    def start(self) -> None:
        """As the driver does."""
        self._driver.start()

    def machine(self, instance_id: str) -> FaultyMachine:
        """The driver's machine, whose faults are read while it runs."""
        return FaultyMachine(self._driver.machine(instance_id), instance_id, self._settings, self._switches)

    def stop(self) -> None:
        """As the driver does."""
        self._driver.stop()


class FaultyMachine:
    """A `Machine` around another one; see there."""

    def __init__(self, machine: Machine, instance_id: str, settings: Settings, switches: Switches) -> None:
        self._machine = machine
        self._id = instance_id
        self._settings = settings
        self._switches = switches
        self._suffering: asyncio.Task[None] | None = None
        self.lock = machine.lock

    async def boot(self) -> asyncio.Future[str]:
        """Come up, unless or until a fault lets it."""
        name = await asyncio.to_thread(_name_of, self._settings, self._id)
        fate: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        for fault, _ in self._switches.of_machine(self._id, name):
            if fault.kind == "never-boots":
                self.say("a fault: nothing starts")
                return fate
            if fault.kind == "slow-boot":
                self.say(f"a fault: {fault.seconds:g} s go by before anything starts")
                await asyncio.sleep(fault.seconds)
        powered_off = await self._machine.boot()
        self._suffering = asyncio.create_task(self._suffer(name, powered_off, fate))
        return fate

    async def plug(self) -> dict[str, str]:
        """As the machine does."""
        return await self._machine.plug()

    async def shut_down(self) -> None:
        """As the machine does; one that stands still could not."""
        if self._suffering:
            self._suffering.cancel()
            await asyncio.wait([self._suffering])
        await self._machine.shut_down()

    async def remove(self) -> None:
        """As the machine does."""
        await self._machine.remove()

    async def freeze(self) -> None:
        """As the machine does."""
        await self._machine.freeze()

    async def thaw(self) -> None:
        """As the machine does."""
        await self._machine.thaw()

    async def cut_power(self) -> None:
        """As the machine does."""
        await self._machine.cut_power()

    def say(self, text: str) -> None:
        """One line on its console."""
        self._machine.say(text)

    async def _suffer(self, name: str, powered_off: asyncio.Future[str], fate: asyncio.Future[str]) -> None:
        """Carry out its faults until it is off; `fate` then has the reason."""
        now = asyncio.get_running_loop().time
        booted, frozen = now(), False
        try:
            while not powered_off.done():
                dies, stands_still = self._doom(name, now() - booted)
                if dies:
                    await self._machine.cut_power()
                    break
                if stands_still != frozen:
                    await (self._machine.freeze() if stands_still else self._machine.thaw())
                    frozen = stands_still
                await asyncio.wait([powered_off], timeout=LOOK_EVERY_SECONDS)
            if not fate.done():  # recalled: nobody waits for it any more
                fate.set_result(powered_off.result() if powered_off.done() else "a fault: the machine died")
        finally:
            if frozen:
                await self._machine.thaw()

    def _doom(self, name: str, age: float) -> tuple[bool, bool]:
        """Whether it dies now, and whether it stands still now; `age` is the seconds since its boot."""
        dies = stands_still = False
        for fault, begun in self._switches.of_machine(self._id, name):
            since = min(age, begun)
            match fault.kind:
                case "dies":
                    dies = dies or since >= fault.seconds
                case "freezes":
                    stands_still = stands_still or not fault.seconds or since < fault.seconds
                case "flaps":
                    stands_still = stands_still or since % (fault.seconds + fault.up) < fault.seconds
        return dies, stands_still


def _name_of(settings: Settings, instance_id: str) -> str:
    found = client(settings, "ec2").describe_instances(InstanceIds=[instance_id])["Reservations"][0]["Instances"][0]
    return next((str(tag["Value"]) for tag in found.get("Tags", []) if tag["Key"] == "Name"), "")
