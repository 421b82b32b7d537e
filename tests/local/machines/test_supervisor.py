"""Units, carried out with real processes, without a cloud around them."""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tyrell.local.machines.supervisor import Supervisor
from tyrell.local.machines.system import System
from tyrell.local.machines.units import UnitError
from tyrell.local.settings import Settings

DEADLINE_SECONDS = 5


class Bench:
    """A machine's root folder and a supervisor over it."""

    def __init__(self, home: Path) -> None:
        self.system = System(Settings(home=home), "i-test")
        self.supervisor = Supervisor(self.system)

    def write(self, path: str, text: str) -> None:
        file = self.system.path(path)
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)

    def unit(self, name: str, service: str, unit: str = "") -> None:
        self.write(f"/etc/systemd/system/{name}.service", f"[Unit]\n{unit}\n[Service]\n{service}\n")

    def said(self, name: str) -> list[str]:
        """What the unit's lines on the console are, in order."""
        lines = (self.system.folder / "console.log").read_text().splitlines()
        return [line.partition(f" {name}.service: ")[2] for line in lines if f" {name}.service: " in line]

    async def await_said(self, name: str, text: str, times: int = 1) -> None:
        async with asyncio.timeout(DEADLINE_SECONDS):
            while self.said(name).count(text) < times:
                await asyncio.sleep(0.01)


@pytest.fixture
async def bench(tmp_path: Path) -> AsyncIterator[Bench]:
    bench = Bench(tmp_path)
    bench.system.root.mkdir()
    yield bench
    await bench.supervisor.stop()


async def test_an_environment_file_is_read_again_after_exec_start_pre_wrote_it(bench: Bench) -> None:
    bench.write("/etc/address", "A=before\n")
    pre = "ExecStartPre=/bin/sh -c 'echo pre $A; echo A=after > etc/address'"
    service = f"Type=oneshot\nEnvironment=A=default\nEnvironmentFile=/etc/address\n{pre}\nExecStart=/bin/echo main $A"
    bench.unit("x", service)

    assert await bench.supervisor.start(["x.service"])

    assert bench.said("x")[:2] == ["pre before", "main after"]


async def test_a_missing_environment_file_is_a_failure_unless_it_is_optional(bench: Bench) -> None:
    bench.unit("needs", "Type=oneshot\nEnvironmentFile=/etc/none\nExecStart=/bin/true")
    bench.unit("may", "Type=oneshot\nEnvironmentFile=-/etc/none\nExecStart=/bin/true")

    assert not await bench.supervisor.start(["needs.service"])
    assert await bench.supervisor.start(["may.service"])


async def test_units_start_after_the_units_they_name_and_pull_in_what_they_want(bench: Bench) -> None:
    bench.unit("first", "Type=oneshot\nExecStart=/bin/sh -c 'sleep 0.1; touch ready'")
    bench.unit("second", "Type=oneshot\nExecStart=/bin/ls ready", "After=first.service\nWants=first.service")

    assert await bench.supervisor.start(["second.service"])

    assert "ready" in bench.said("second")


async def test_a_unit_does_not_start_when_one_that_it_requires_fails(bench: Bench) -> None:
    bench.unit("first", "Type=oneshot\nExecStart=/bin/false")
    bench.unit("second", "ExecStart=/bin/true", "After=first.service\nRequires=first.service")

    assert not await bench.supervisor.start(["second.service"])

    assert bench.said("second") == ["not started: first.service did not start"]


async def test_a_circle_of_units_is_refused(bench: Bench) -> None:
    bench.unit("a", "ExecStart=/bin/true", "After=b.service\nWants=b.service")
    bench.unit("b", "ExecStart=/bin/true", "After=a.service")

    with pytest.raises(UnitError, match=r"circle: .*a\.service"):
        await bench.supervisor.start(["a.service"])


@pytest.mark.parametrize(
    ("restart", "command", "again"),
    [
        ("no", "exit 0", False),
        ("no", "exit 1", False),
        ("always", "exit 0", True),
        ("always", "exit 1", True),
        ("on-success", "exit 0", True),
        ("on-success", "kill -TERM $$$$", True),
        ("on-success", "exit 1", False),
        ("on-failure", "exit 1", True),
        ("on-failure", "kill -KILL $$$$", True),
        ("on-failure", "exit 0", False),
    ],
)
async def test_which_end_leads_to_a_restart(bench: Bench, restart: str, command: str, *, again: bool) -> None:
    """The process blocks on its second start, so that there is something to see and nothing to hurry for."""
    script = f"echo started; test -e second && exec sleep 60; touch second; {command}"
    bench.unit("x", f'ExecStart=/bin/sh -c "{script}"\nRestart={restart}\nRestartSec=10ms')

    await bench.supervisor.start(["x.service"])
    async with asyncio.timeout(DEADLINE_SECONDS):
        while not any(line.startswith("ended: ") for line in bench.said("x")):
            await asyncio.sleep(0.01)
    if again:
        await bench.await_said("x", "started", times=2)
    await bench.supervisor.stop()

    assert bench.said("x").count("started") == (2 if again else 1)


async def test_a_unit_that_is_started_too_often_fails(bench: Bench) -> None:
    limit = "FailureAction=poweroff\nStartLimitIntervalSec=5\nStartLimitBurst=3"
    bench.unit("x", "ExecStart=/bin/sh -c 'echo started; exit 7'\nRestart=on-failure\nRestartSec=1ms", limit)

    await bench.supervisor.start(["x.service"])
    reason = await asyncio.wait_for(bench.supervisor.failure, DEADLINE_SECONDS)

    assert reason == "x.service failed: exit status 7 (started too often, see StartLimitBurst=)"
    assert bench.said("x").count("started") == 3


async def test_a_failed_unit_powers_off_only_when_it_says_so(bench: Bench) -> None:
    bench.unit("quiet", "Type=oneshot\nExecStart=/bin/false")
    bench.unit("grave", "Type=oneshot\nExecStart=/bin/false", "FailureAction=poweroff")

    await bench.supervisor.start(["quiet.service"])
    assert not bench.supervisor.failure.done()

    await bench.supervisor.start(["grave.service"])
    assert bench.supervisor.failure.result() == "grave.service failed: exit status 1"


async def test_a_failed_exec_start_pre_keeps_the_program_from_starting_unless_it_does_not_count(bench: Bench) -> None:
    bench.unit("strict", "Type=oneshot\nExecStartPre=/bin/false\nExecStart=/bin/echo ran")
    bench.unit("loose", "Type=oneshot\nExecStartPre=-/bin/false\nExecStart=/bin/echo ran")

    assert not await bench.supervisor.start(["strict.service"])
    assert await bench.supervisor.start(["loose.service"])

    assert bench.said("strict") == ["ended: exit status 1 (ExecStartPre=/bin/false)"]
    assert bench.said("loose")[0] == "ran"


async def test_a_command_that_takes_too_long_to_start_is_ended(bench: Bench) -> None:
    bench.unit("x", "Type=oneshot\nExecStart=/bin/sleep 60\nTimeoutStartSec=50ms")

    assert not await bench.supervisor.start(["x.service"])

    assert bench.said("x") == ["ended: exit status 1 (not done within TimeoutStartSec=0.05)"]


async def test_a_program_that_ignores_the_signal_is_killed_with_its_children(bench: Bench) -> None:
    script = "trap '' TERM; sleep 60 & echo child $!; echo ready; wait; wait"
    bench.unit("x", f'ExecStart=/bin/sh -c "{script}"\nTimeoutStopSec=100ms')
    await bench.supervisor.start(["x.service"])
    await bench.await_said("x", "ready")
    child = next(int(line.split()[1]) for line in bench.said("x") if line.startswith("child"))

    before = time.monotonic()
    await bench.supervisor.stop()

    assert 0.1 <= time.monotonic() - before < 1
    assert not Path(f"/proc/{child}/exe").exists()


async def test_a_state_directory_is_made_and_named(bench: Bench) -> None:
    bench.unit("x", "Type=oneshot\nStateDirectory=link\nExecStart=/bin/sh -c 'touch $STATE_DIRECTORY/kept'")

    assert await bench.supervisor.start(["x.service"])

    assert bench.system.path("/var/lib/link/kept").exists()


async def test_starting_an_active_unit_again_does_nothing(bench: Bench) -> None:
    bench.unit("x", "ExecStart=/bin/sh -c 'echo started; exec sleep 60'")

    assert await bench.supervisor.start(["x.service"])
    await bench.await_said("x", "started")
    assert await bench.supervisor.start(["x.service"])

    assert bench.said("x") == ["started"]


async def test_every_line_has_a_time_even_a_very_long_one(bench: Bench) -> None:
    bench.unit("x", "Type=oneshot\nExecStart=/bin/sh -c 'head -c 200000 /dev/zero | tr -c a a; echo; printf end'")

    assert await bench.supervisor.start(["x.service"])

    assert bench.said("x")[:2] == ["a" * 200_000, "end"]
    for line in (bench.system.folder / "console.log").read_text().splitlines():
        assert re.match(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z x\.service: ", line)
