"""An embedded cloud of the tests' own, used as a person uses it: through the `tyrell` command."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import timedelta
from pathlib import Path
from threading import Lock
from typing import Any

import pytest
from prefect.concurrency.services import ConcurrencySlotAcquisitionWithLeaseService

from tasks import clients
from tasks.model import Patience
from tests.commands import Command, Server
from tests.waiting import free_port
from tyrell.local.state import read_state

NETWORK = "127.36.0.0/16"
START_THEMSELVES = {"local", "demo"}
"""Commands that no other process may have loaded anything for: they begin before the cloud is up, or end it."""
PATIENCE = Patience(timeout=timedelta(seconds=30), every=timedelta(seconds=0.1))


class Tyrell:
    """The `tyrell` command with a home of its own; nothing of the developer's environment leads it elsewhere."""

    def __init__(self, home: Path) -> None:
        self.home = home
        kept = {
            name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "PREFECT_", "TYRELL_"))
        }
        self.environment_variables = kept | {"TYRELL_HOME": str(home), "COLUMNS": "200"}
        self._loaded: tuple[object, Server] | None = None
        self._one_at_a_time = Lock()

    def run(self, *arguments: str, timeout: float = 180) -> subprocess.CompletedProcess[str]:
        """Run one command to its end; one that talks to the embedded cloud while that is up is a forked process."""
        if read_state(self.home) and arguments[0] not in START_THEMSELVES and "--cloud" not in arguments:
            return self.begun(*arguments).end(timeout)
        if arguments[:2] == ("local", "down"):
            self.close()
        return subprocess.run(
            [Path(sys.executable).with_name("tyrell"), *arguments],
            env=self.environment_variables,
            capture_output=True,
            text=True,
            timeout=timeout,
            check=False,
        )

    def begun(self, *arguments: str) -> Command:
        """A command that runs from now on, while the cloud is up: a forked process, which need not load everything."""
        surroundings = dict(self.environment_variables), read_state(self.home)
        with self._one_at_a_time:
            if self._loaded and self._loaded[0] != surroundings:
                self.close()
            if not self._loaded:
                self._loaded = surroundings, Server(self.environment_variables)
            return self._loaded[1].run(arguments)

    def close(self) -> None:
        """End what has loaded the commands."""
        if self._loaded:
            self._loaded[1].close()
            self._loaded = None

    def started(self, *arguments: str) -> subprocess.Popen[bytes]:
        """A command that goes on by itself."""
        program = Path(sys.executable).with_name("tyrell")
        return subprocess.Popen(
            [program, *arguments],
            env=self.environment_variables,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )

    def ok(self, *arguments: str, timeout: float = 180) -> str:
        """The standard output of a command that must succeed."""
        done = self.run(*arguments, timeout=timeout)
        assert done.returncode == 0, f"{arguments}: {done.stderr[-2000:]}{done.stdout[-500:]}\n{self.log()}"
        return done.stdout

    def json(self, *arguments: str) -> Any:
        """The JSON that a command that must succeed prints."""
        return json.loads(self.ok(*arguments, "--json"))

    def log(self) -> str:
        """The last words of the cloud."""
        log = self.home / "logs" / "cloud.log"
        return log.read_text()[-3000:] if log.exists() else "no log"

    @property
    def cloud_environment(self) -> dict[str, str]:
        """The variables for AWS clients of this cloud."""
        state = read_state(self.home)
        assert state
        return state.environment

    def processes(self) -> list[str]:
        """The command lines of all processes that belong to this cloud."""
        found = []
        for folder in Path("/proc").glob("[0-9]*"):
            try:
                environment = (folder / "environ").read_bytes()
                command = (folder / "cmdline").read_bytes().replace(b"\0", b" ").decode()
            except OSError:
                continue
            if str(self.home).encode() in environment + command.encode() and folder.name != str(os.getpid()):
                found.append(command)
        return found


def kill_machines(cloud: Tyrell, name: str, count: int) -> list[str]:
    """Kill all processes of that many machines of that name with SIGKILL and return the machines' ids."""
    instances = cloud.json("local", "status")["instances"]
    running = [each["id"] for each in instances if f"demo-{name}" in each["name"] and each["state"] == "running"]
    victims: list[str] = running[:count]
    marks = {f"INSTANCE_ID={victim}".encode() for victim in victims}
    killed = 0
    for folder in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):  # ended meanwhile
            if marks & set((folder / "environ").read_bytes().split(b"\0")):
                os.kill(int(folder.name), signal.SIGKILL)
                killed += 1
    assert killed >= count == len(victims)
    return victims


@contextmanager
def embedded_cloud(
    *options: str, network: str = NETWORK, prefect: bool = True, timeout: float = 180, **environment: str
) -> Iterator[Tyrell]:
    """A cloud that is up, with these options of `tyrell local up`; afterwards everything of it is gone.

    Its ports and its home are its own; all its commands have the `environment` as well.
    """
    tyrell = Tyrell(Path(tempfile.mkdtemp(prefix="tyrell-")))  # short: sockets lie in it
    tyrell.environment_variables |= environment
    server = ("--prefect-port", str(free_port())) if prefect else ("--no-prefect",)
    try:
        tyrell.ok("local", "up", "--port", str(free_port()), "--network", network, *server, *options, timeout=timeout)
        yield tyrell
    finally:
        tyrell.run("local", "down")
        shutil.rmtree(tyrell.home, ignore_errors=True)


@contextmanager
def cloud_of_this_process(network: str = NETWORK) -> Iterator[Tyrell]:
    """An embedded cloud with a Prefect server and nothing on it; the flows and tasks of this process use it too."""
    with embedded_cloud(network=network) as tyrell, pytest.MonkeyPatch.context() as patched:
        for name, value in (tyrell.cloud_environment | {"TYRELL_HOME": str(tyrell.home)}).items():
            patched.setenv(name, value)
        _forget_servers()
        yield tyrell
        _forget_servers()


def _forget_servers() -> None:
    """Connections to an earlier cloud; Prefect has one for each set of tags, to the server that was there at first."""
    clients.forget()
    ConcurrencySlotAcquisitionWithLeaseService.drain_all(timeout=10)
