"""Runs the units of one machine, as systemd's manager does (systemd.unit(5))."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from graphlib import CycleError, TopologicalSorter

from tyrell.local.machines.service import Service
from tyrell.local.machines.system import System
from tyrell.local.machines.units import UNIT_FOLDER, Unit, UnitError, load_unit

ENABLED_FOLDER = f"{UNIT_FOLDER}/multi-user.target.wants"


class Supervisor:
    """Starts, keeps and stops units; `failure` is done, with the reason, once one wants the machine powered off."""

    def __init__(self, system: System) -> None:
        self._system = system
        self._services: dict[str, Service] = {}
        self.failure: asyncio.Future[str] = asyncio.get_running_loop().create_future()

    def enabled(self) -> list[str]:
        """The units that every boot starts."""
        folder = self._system.path(ENABLED_FOLDER)
        return sorted(entry.name for entry in folder.iterdir()) if folder.exists() else []

    def enable(self, names: Iterable[str]) -> None:
        """Have every boot start these units. Raises UnitError when one does not exist or is not supported."""
        folder = self._system.path(ENABLED_FOLDER)
        folder.mkdir(parents=True, exist_ok=True)
        for name in names:
            self._load(name)
            (folder / name).touch()

    async def start(self, names: Iterable[str]) -> bool:
        """Start units and those they want or require, each after the units its After= names; whether all came up.

        Returns when each was tried once. Raises UnitError before anything starts when one cannot be used.
        """
        units = self._with_dependencies(names)
        earlier = {name: [other for other in unit.after if other in units] for name, unit in units.items()}
        try:
            order = list(TopologicalSorter(earlier).static_order())
        except CycleError as cycle:
            raise UnitError(f"After= goes round in a circle: {' -> '.join(cycle.args[1])}") from cycle
        jobs: dict[str, asyncio.Task[bool]] = {}
        async with asyncio.TaskGroup() as group:
            for name in order:
                waits_for = {other: jobs[other] for other in earlier[name]}
                jobs[name] = group.create_task(self._start(units[name], waits_for))
        return all(job.result() for job in jobs.values())

    async def stop(self) -> None:
        """Return when nothing runs any more. Units stop all at once."""
        await asyncio.gather(*(service.stop() for service in self._services.values()))

    async def _start(self, unit: Unit, earlier: dict[str, asyncio.Task[bool]]) -> bool:
        came_up = {name: await job for name, job in earlier.items()}
        missing = [name for name in unit.requires if came_up.get(name) is False]
        if missing:
            self._system.console.write(unit.name, f"not started: {', '.join(missing)} did not start")
            return False
        service = self._services.setdefault(unit.name, self._service(unit))
        return await service.start()

    def _service(self, unit: Unit) -> Service:
        def failed(reason: str) -> None:
            self._system.console.write("systemd", reason)
            if unit.failure_action == "poweroff" and not self.failure.done():
                self.failure.set_result(reason)

        return Service(unit, self._system, failed)

    def _with_dependencies(self, names: Iterable[str]) -> dict[str, Unit]:
        """The units by name. Only services are known: a target or a socket that is wanted counts as reached."""
        units: dict[str, Unit] = {}
        waiting = list(names)
        while waiting:
            name = waiting.pop()
            if name not in units:
                units[name] = self._load(name)
                related = (*units[name].wants, *units[name].requires)
                waiting += [other for other in related if other.endswith(".service")]
        return units

    def _load(self, name: str) -> Unit:
        return load_unit(self._system.path(UNIT_FOLDER), name)
