"""A real InfluxDB 1.x for the tests: Debian's server, with authentication on."""

from __future__ import annotations

import contextlib
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.waiting import eventually, free_port
from tyrell.local.debian import NotToBeHad, find_program

HOST = "127.31.0.2"
ADMIN = ("admin", "of the test")
READER, WRITER = ("usage", "may only read"), ("stack", "may only write")

CONFIGURATION = """
reporting-disabled = true
bind-address = "{host}:{backup_port}"
[meta]
dir = "{folder}/meta"
[data]
dir = "{folder}/data"
wal-dir = "{folder}/wal"
[http]
bind-address = "{host}:{port}"
auth-enabled = true
max-row-limit = 10000
[continuous_queries]
run-interval = "1s"
[monitor]
store-enabled = false
"""


@dataclass(frozen=True)
class InfluxServer:
    """A server at `url`."""

    url: str
    process: subprocess.Popen[bytes]

    def answers(self) -> bool:
        """Whether it does now."""
        assert self.process.poll() is None, f"influxd ended with {self.process.returncode}"
        try:
            return httpx.get(f"{self.url}/ping", trust_env=False).status_code == 204
        except httpx.ConnectError:
            return False

    def kill(self) -> None:
        """End it at once."""
        self.process.kill()
        self.process.wait(10)

    def ask(self, query: str, database: str = "") -> list[list[Any]]:
        """Do something as its administrator; return the rows of all its series, with their tags' values first."""
        answer = httpx.post(f"{self.url}/query", params={"q": query, "db": database}, auth=ADMIN, trust_env=False)
        (result,) = answer.json()["results"]
        assert "error" not in result, result
        found = result.get("series", [])
        return [[*one.get("tags", {}).values(), *row] for one in found for row in one.get("values", [])]

    def write(self, database: str, lines: Sequence[str]) -> None:
        """Write points. https://docs.influxdata.com/influxdb/v1/write_protocols/line_protocol_reference/"""
        auth = ADMIN if database == "linkusage" else WRITER
        answer = httpx.post(
            f"{self.url}/write", params={"db": database}, content="\n".join(lines), auth=auth, trust_env=False
        )
        assert answer.status_code == 204, answer.text


@contextlib.contextmanager
def influxdb_server() -> Iterator[InfluxServer]:
    """Run a server with the databases of a metrics host, a user who may read usage and one who may write metrics.

    Raises NotToBeHad.
    """
    program, port = find_program("influxdb", "usr/bin/influxd"), free_port(HOST)
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "influxdb.conf"
        file.write_text(CONFIGURATION.format(host=HOST, port=port, backup_port=free_port(HOST), folder=folder))
        log = (Path(folder) / "log").open("wb")
        with log, subprocess.Popen([str(program), "-config", str(file)], stdout=log, stderr=log) as process:
            server = InfluxServer(f"http://{HOST}:{port}", process)
            try:
                eventually("InfluxDB answers", server.answers)
                _fill(server)
                yield server
            finally:
                server.kill()


def influxdb_or_skip() -> Iterator[InfluxServer]:
    """The same as a fixture: where the server can not be had, the tests that ask for it are skipped."""
    try:
        with influxdb_server() as server:
            yield server
    except NotToBeHad as error:
        pytest.skip(f"no InfluxDB: {error}")


def _fill(server: InfluxServer) -> None:
    first = f"CREATE USER {ADMIN[0]} WITH PASSWORD '{ADMIN[1]}' WITH ALL PRIVILEGES"
    assert "error" not in httpx.post(f"{server.url}/query", params={"q": first}, trust_env=False).json()
    for database, (user, password), may in (("linkusage", READER, "READ"), ("telegraf", WRITER, "WRITE")):
        server.ask(f'CREATE DATABASE {database} WITH NAME "default"')
        server.ask(f"CREATE USER {user} WITH PASSWORD '{password}'")
        server.ask(f"GRANT {may} ON {database} TO {user}")
