"""Processes that outlive nobody."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.waiting import eventually, free_port
from tyrell.local.machines.processes import MARKER, Process, sweep
from tyrell.local.settings import Settings

CLOUD_WITH_ONE_MACHINE = """
import sys
from pathlib import Path
from tests.local.machines.conftest import Cloud, make_subnet
from tyrell.local.machines.engine import Machines
from tyrell.local.server import start_server
from tyrell.local.settings import Settings

settings = Settings(home=Path(sys.argv[1]), port=int(sys.argv[2]))
machines = Machines(settings)
machines.install()
start_server(settings)
machines.start()
cloud = Cloud(settings, make_subnet(settings, "127.34.128.0/24"))
cloud.answering()
print("ready", flush=True)
sys.stdin.read()
"""


def marked_processes(home: Path) -> list[int]:
    """Pids of the processes of the cloud at `home`. A process that has ended has no environment."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            environment = (folder / "environ").read_bytes().split(b"\0")
        except OSError:
            continue
        if f"{MARKER}={home}".encode() in environment:
            found.append(int(folder.name))
    return found


@pytest.mark.cloud
def test_no_process_outlives_a_cloud_that_is_killed_with_signal_9(tmp_path: Path) -> None:
    command = [sys.executable, "-c", CLOUD_WITH_ONE_MACHINE, str(tmp_path), str(free_port())]
    cloud = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert cloud.stdout
    assert cloud.stdout.readline() == "ready\n"
    before = marked_processes(tmp_path)

    cloud.kill()
    cloud.communicate()

    assert len(before) == 1
    eventually("the machine's process is gone", lambda: not marked_processes(tmp_path), seconds=2)


def test_a_sweep_ends_the_processes_of_its_cloud_and_no_others(tmp_path: Path) -> None:
    ours = subprocess.Popen(["/bin/sh", "-c", "sleep 60 & wait"], env={MARKER: str(tmp_path)})
    other = subprocess.Popen(["/bin/sleep", "60"], env={MARKER: f"{tmp_path}-other"})
    try:
        eventually("the shell has a child", lambda: len(marked_processes(tmp_path)) == 2)

        assert sweep(Settings(home=tmp_path)) == 2

        assert marked_processes(tmp_path) == []
        ours.wait(timeout=1)
        assert other.poll() is None
        assert sweep(Settings(home=tmp_path)) == 0
    finally:
        other.kill()
        other.wait()


async def test_who_is_told_to_wait_no_more_just_as_the_output_ends_does_so(tmp_path: Path) -> None:
    """Somebody who left the session holds the output a little longer; its last words come as it ends."""

    def hear(_: str) -> None:
        asyncio.get_running_loop().call_soon(waiting.cancel)

    process = Process(["sh", "-c", "setsid sleep 0.2 & printf bye"], os.environ, tmp_path, hear)
    waiting = asyncio.create_task(process.wait())
    with pytest.raises(asyncio.CancelledError):
        await waiting
