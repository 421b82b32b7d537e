"""A Prefect server as a team has it, of `deployments/server`: PostgreSQL, Redis, the API, the services.

All are real processes on loopback, with ports, folders and passwords of their own.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from tasks.clients import http_status
from tests.waiting import eventually, free_port
from tyrell.local.machines.processes import DIES_WITH_ITS_PARENT

ROOT = Path(__file__).resolve().parents[2]
DEPLOYED = ROOT / "deployments" / "server"
HOST = "127.0.0.1"
USER, DATABASE = "prefect", "prefect"
STARTING = 240
"""Seconds. A new database takes most of them."""

Process = subprocess.Popen[bytes]


def environment_file(name: str) -> dict[str, str]:
    """The variables of a file of `deployments/server`."""
    lines = (DEPLOYED / name).read_text().splitlines()
    return dict(line.split("=", 1) for line in lines if line and not line.startswith("#"))


def postgresql_programs() -> Path:
    """The folder of PostgreSQL's programs, where Debian has them; without them the test that asks is skipped."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/postgres"))
    if not found:
        pytest.skip("no PostgreSQL: apt-get install postgresql")
    return found[-1].parent


@dataclass
class Servers:
    """The processes, by name; `folder` has their logs. A process that is killed is started again with `start`."""

    folder: Path
    url: str = ""
    variables: dict[str, str] = field(default_factory=dict)
    processes: dict[str, Process] = field(default_factory=dict)

    @property
    def client(self) -> dict[str, str]:
        """What a client of the server has in its environment."""
        auth = (self.secrets / "PREFECT_API_AUTH_STRING").read_text()
        return {"PREFECT_API_URL": f"{self.url}/api", "PREFECT_API_AUTH_STRING": auth}

    @property
    def secrets(self) -> Path:
        """The folder that `make-secrets` made."""
        return self.folder / "secrets"

    def log(self, name: str) -> str:
        """What a process has said."""
        return (self.folder / f"{name}.log").read_text(errors="replace")

    def start(
        self, name: str, command: Sequence[str], variables: Mapping[str, str], user: str | None = None
    ) -> Process:
        """Run a program, as another user if one is named."""
        kept = {each: value for each, value in os.environ.items() if not each.startswith("PREFECT_")}
        with (self.folder / f"{name}.log").open("ab") as log:
            process = subprocess.Popen(
                [*DIES_WITH_ITS_PARENT, *command],
                env={**kept, **variables},
                stdout=log,
                stderr=log,
                cwd=ROOT,
                user=user,
            )
        self.processes[name] = process
        return process

    def prefect(self, name: str, *words: str) -> Process:
        """Run a program of the Prefect server's, with its secrets."""
        variables = {**self.variables, "CREDENTIALS_DIRECTORY": str(self.secrets)}
        program = Path(sys.executable).with_name("prefect")
        return self.start(name, [str(DEPLOYED / "with-secrets"), str(program), *words], variables)

    def stop(self) -> None:
        """End all, the newest first."""
        for process in reversed(self.processes.values()):
            process.terminate()
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait(10)


@contextmanager
def prefect_servers(folder: Path) -> Iterator[Servers]:
    """All of them, until the block is over."""
    folder.chmod(0o755)  # PostgreSQL is not root
    redis_port, postgres_port, port = (free_port(HOST) for _ in range(3))
    servers = Servers(folder, f"http://{HOST}:{port}")
    servers.variables = environment_file("server.env") | {
        "PREFECT_HOME": str(folder / "prefect"),
        "PREFECT_SERVER_DATABASE_PORT": str(postgres_port),
        "PREFECT_API_URL": f"{servers.url}/api",
    }
    subprocess.run([str(DEPLOYED / "make-secrets"), str(servers.secrets), f"{HOST}:{redis_port}"], check=True)
    with ExitStack() as running:
        running.callback(servers.stop)
        _start_redis(servers, redis_port)
        _start_postgresql(servers, postgres_port)
        migrated = servers.prefect("migrate", "server", "database", "upgrade", "--yes")
        assert migrated.wait(STARTING) == 0, servers.log("migrate")
        start_api(servers)
        servers.prefect("services", "server", "services", "start")
        yield servers


def start_api(servers: Servers) -> None:
    """The API and the UI, once they answer."""
    port = servers.url.rpartition(":")[2]
    process = servers.prefect("server", "server", "start", "--host", HOST, "--port", port, "--no-services")

    def answers() -> bool:
        assert process.poll() is None, servers.log("server")
        return http_status(f"{servers.url}/api/health") == "200"

    eventually("the Prefect server answers", answers, STARTING)


def _start_redis(servers: Servers, port: int) -> None:
    program = shutil.which("redis-server")
    if program is None:
        pytest.skip("no Redis: apt-get install redis-server")
    options = ["--bind", HOST, "--port", str(port), "--save", "", "--dir", str(servers.folder)]
    servers.start("redis", [program, str(servers.secrets / "redis.conf"), *options], {})
    eventually("Redis answers", lambda: b"Ready to accept" in servers.log("redis").encode(), 30)


def _start_postgresql(servers: Servers, port: int) -> None:
    programs, data = postgresql_programs(), servers.folder / "postgresql"
    password = (servers.secrets / "PREFECT_SERVER_DATABASE_PASSWORD").read_text()
    data.mkdir()
    readable = servers.folder / "password"
    readable.write_text(password)
    user = None
    if os.getuid() == 0:  # as which it refuses to run
        user = "nobody"
        shutil.chown(data, user)
        shutil.chown(readable, user)
    make = [f"{programs}/initdb", "-D", str(data), "-U", USER, "-A", "scram-sha-256", f"--pwfile={readable}", "-N"]
    made = servers.start("initdb", make, {"LC_ALL": "C.UTF-8"}, user)
    assert made.wait(60) == 0, servers.log("initdb")
    options = ["-h", HOST, "-p", str(port), "-k", "", "-c", "fsync=off"]
    servers.start("postgresql", [f"{programs}/postgres", "-D", str(data), *options], {}, user)

    def created() -> bool:
        create = [f"{programs}/createdb", "-h", HOST, "-p", str(port), "-U", USER, DATABASE]
        variables = {**os.environ, "PGPASSWORD": password.strip()}
        done = subprocess.run(create, env=variables, capture_output=True, text=True, check=False)
        return done.returncode == 0 or "already exists" in done.stderr

    eventually("PostgreSQL has the database", created, 60)
