"""One unit's life: ExecStartPre, ExecStart, and what happens when the process ends (systemd.service(5))."""

from __future__ import annotations

import asyncio
import signal
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

from tyrell.local.machines.command_line import Command, expand, parse_environment_file
from tyrell.local.machines.processes import Process
from tyrell.local.machines.system import System
from tyrell.local.machines.units import Unit

CLEAN_SIGNALS = {signal.SIGHUP, signal.SIGINT, signal.SIGTERM, signal.SIGPIPE}
"""An end by one of these is no failure: systemd.service(5), SuccessExitStatus=."""


@dataclass(frozen=True)
class Outcome:
    """How a command ended: its exit status, -N for signal N, and what to say if there is more to say."""

    status: int
    remark: str = ""

    @property
    def clean(self) -> bool:
        return self.status == 0 or -self.status in CLEAN_SIGNALS

    def __str__(self) -> str:
        said = f"exit status {self.status}" if self.status >= 0 else f"killed by {signal.Signals(-self.status).name}"
        return f"{said} ({self.remark})" if self.remark else said


class Service:
    """Runs one unit and keeps it running as its Restart= says; `on_failure` hears why it finally failed."""

    def __init__(self, unit: Unit, system: System, on_failure: Callable[[str], None]) -> None:
        self.unit = unit
        self._system = system
        self._on_failure = on_failure
        self._process: Process | None = None
        self._keeper: asyncio.Task[None] | None = None
        self._tried = asyncio.Event()
        self._started = False
        self._starts: deque[float] = deque(maxlen=unit.start_limit_burst)

    async def start(self) -> bool:
        """Start unless it is active; returns after the first try: whether it came up (oneshot: ran to its end)."""
        if self._keeper is None or self._keeper.done():
            self._tried.clear()
            self._keeper = asyncio.create_task(self._keep())
        await self._tried.wait()
        return self._started

    async def stop(self) -> None:
        """Return when it has ended: by KillSignal=, after TimeoutStopSec= by SIGKILL. Twice is fine."""
        if self._keeper:
            self._keeper.cancel()
            await asyncio.wait([self._keeper])
        if self._process:
            await self._process.stop(self.unit.kill_signal, self.unit.timeout_stop_sec)

    async def _keep(self) -> None:
        try:
            while True:
                self._started = False
                self._starts.append(time.monotonic())
                outcome = await self._run()
                self._say(f"ended: {outcome}")
                if not self._restarts_after(outcome):
                    break
                self._tried.set()
                await asyncio.sleep(self.unit.restart_sec)
                if self._started_too_often():
                    outcome = Outcome(outcome.status or 1, "started too often, see StartLimitBurst=")
                    break
            if not outcome.clean:
                self._on_failure(f"{self.unit.name} failed: {outcome}")
        finally:
            self._tried.set()

    async def _run(self) -> Outcome:
        """All commands once, until the first that fails."""
        for command in self.unit.exec_start_pre:
            outcome = await self._carry_out(command, self.unit.timeout_start_sec)
            if outcome.status != 0 and not command.ignore_failure:
                return Outcome(outcome.status, f"ExecStartPre={command.words[0]}")
        if self.unit.type != "oneshot":
            return await self._carry_out(self.unit.exec_start[0], None)
        for command in self.unit.exec_start:
            outcome = await self._carry_out(command, self.unit.timeout_start_sec)
            if not outcome.clean and not command.ignore_failure:
                return outcome
        self._started = True
        return Outcome(0)

    async def _carry_out(self, command: Command, deadline: float | None) -> Outcome:
        """Run one command; without a deadline it is the main process, whose start is the unit's."""
        try:
            environment = self._environment()
            words = expand(command, {**self._system.environment, **environment})
            folder = self._system.path(self.unit.working_directory)
            self._process = self._system.spawn(words, self.unit.name, environment, folder)
        except (OSError, ValueError) as problem:
            return Outcome(203, str(problem))  # systemd's own exit status for "could not execute", systemd.exec(5)
        if deadline is None:
            self._started = True
            self._tried.set()
            status = await self._process.wait()
            return Outcome(0 if command.ignore_failure else status)
        try:
            async with asyncio.timeout(deadline):
                return Outcome(await self._process.wait())
        except TimeoutError:
            await self._process.stop(self.unit.kill_signal, self.unit.timeout_stop_sec)
            return Outcome(1, f"not done within TimeoutStartSec={deadline:g}")

    def _environment(self) -> dict[str, str]:
        """Read anew for every process: a command of ExecStartPre= may write the file for the next one."""
        environment = dict(self.unit.environment)
        for name in self.unit.environment_files:
            file = self._system.path(name.removeprefix("-"))
            if file.exists() or not name.startswith("-"):
                environment |= parse_environment_file(file.read_text())
        if self.unit.state_directory:
            folder = self._system.path(f"/var/lib/{self.unit.state_directory}")
            folder.mkdir(parents=True, exist_ok=True)
            environment["STATE_DIRECTORY"] = str(folder)
        return environment

    def _restarts_after(self, outcome: Outcome) -> bool:
        return self.unit.restart in ("always", "on-success" if outcome.clean else "on-failure")

    def _started_too_often(self) -> bool:
        interval = self.unit.start_limit_interval
        full = len(self._starts) == self.unit.start_limit_burst
        return bool(interval) and full and time.monotonic() - self._starts[0] < interval

    def _say(self, text: str) -> None:
        self._system.console.write(self.unit.name, text)
