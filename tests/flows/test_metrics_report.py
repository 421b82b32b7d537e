"""What is done to a stack is marked in its metrics, and its report shows it: as a person has it, by the command."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from tasks.monitoring.users import reader, writer_secret
from tasks.secrets import delete_secret, put_secret
from tests.flows.embedded import Tyrell
from tests.link.influxdb_server import ADMIN, WRITER, InfluxServer, influxdb_or_skip

pytestmark = [pytest.mark.cloud, pytest.mark.flow, pytest.mark.influxdb]

STACK, METRICS = "demo", "pictures"
PNG = b"\x89PNG\r\n"
NAMES = ["deployments", "routers", "targets", "tenants", "workers"]


@pytest.fixture(scope="module")
def influxdb() -> Iterator[InfluxServer]:
    """An InfluxDB outside the cloud."""
    yield from influxdb_or_skip()


@pytest.fixture
def attached(cloud: Tyrell, stack: dict[str, object], influxdb: InfluxServer) -> Iterator[InfluxServer]:
    """The stack writes to it, as far as its secrets say."""
    reading = reader(METRICS).secret
    put_secret(reading, {"url": influxdb.url, "username": ADMIN[0], "password": ADMIN[1]})
    writing = {"metrics": METRICS, "url": influxdb.url, "username": WRITER[0], "password": WRITER[1]}
    put_secret(writer_secret(STACK), writing)
    yield influxdb
    delete_secret(writer_secret(STACK))
    delete_secret(reading)


def test_of_a_stack_without_metrics_there_is_no_report(cloud: Tyrell, stack: dict[str, object], tmp_path: Path) -> None:
    said = cloud.run("metrics", "report", STACK, "--out", str(tmp_path / "day.png"))
    assert said.returncode == 2
    told = f"stack {STACK} has no metrics; attach it with `tyrell metrics attach {STACK} NAME`"
    assert said.stderr.strip().endswith(told)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("--since", "yesterday"), "--since yesterday is no time up to a year; write minutes, hours or days"),
        (("--since", "0h"), "--since 0h is no time up to a year"),
        (("--out", "day.jpg"), "--out day.jpg must end with .png"),
        (("--out", "/nowhere/day.png"), "--out /nowhere/day.png: there is no folder /nowhere"),
    ],
)
def test_bad_input_is_one_sentence(cloud: Tyrell, words: tuple[str, str], told: str) -> None:
    said = cloud.run("metrics", "report", STACK, *words)
    assert said.returncode == 2
    assert told in said.stderr
    assert said.stderr.count("\n") == 1


def marked(server: InfluxServer) -> list[dict[str, Any]]:
    """What is marked for the stack, oldest first."""
    columns = ("role", "version", "kind", "percent", "text", "run_url")
    rows = server.ask(f"SELECT {', '.join(columns)} FROM deployments WHERE link_stack = '{STACK}'", "telegraf")
    return [dict(zip(columns, row[1:], strict=True)) for row in rows]


def test_changes_are_marked_and_the_report_is_files_and_artifacts(
    cloud: Tyrell, attached: InfluxServer, tmp_path: Path
) -> None:
    cloud.ok("scale", "tenant-mgmt-api", "2")
    cloud.ok("scale", "tenant-mgmt-api", "1")
    cloud.ok("deploy", "router", "--version", "marked")
    (live,) = (row for row in cloud.json("status")["rows"] if row["role"] == "router" and row["traffic"] == 100)
    cloud.ok("switch", "router", "marked=10", f"{live['version']}=90")
    cloud.ok("rollback", "router", live["version"])
    seen = marked(attached)
    assert [(each["role"], each["kind"], each["percent"]) for each in seen] == [
        ("tenant-mgmt-api", "scale", None),
        ("tenant-mgmt-api", "scale", None),
        ("router", "switch", 10),
        ("router", "rollback", 100),
    ]
    assert seen[2]["text"] == "gave router marked 10 % of the traffic"
    assert all("/runs/flow-run/" in each["run_url"] for each in seen)

    files = [Path(each) for each in cloud.json("metrics", "report", STACK, "--out", str(tmp_path / "day.png"))]
    assert [file.name for file in files] == [f"day-{name}.png" for name in NAMES]
    assert all(file.read_bytes().startswith(PNG) for file in files)
    api = cloud.cloud_environment["PREFECT_API_URL"]
    artifacts = httpx.post(f"{api}/artifacts/latest/filter", json={}, trust_env=False).json()
    pictures = {each["key"]: each["data"] for each in artifacts if each["type"] == "image"}
    assert {f"{STACK}-metrics-{name}" for name in NAMES} <= set(pictures)
    assert pictures[f"{STACK}-metrics-routers"].startswith("data:image/png;base64,")
    shown = [each for each in artifacts if ADMIN[1] in str(each) or WRITER[1] in str(each)]
    assert shown == []
    cloud.ok("retire", "router", "marked", "--force")
