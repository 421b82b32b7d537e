"""The store of a metrics stack and its keeper, as the processes that they are: backups and restores."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import subprocess
import sys
import tarfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from link.keeping.archive import Broken, digest, pack, unpack
from link.metrics_keeper import Work
from tests.link.aws_server import Aws, aws_server
from tests.waiting import eventually, free_port
from tyrell.local.debian import find_program

pytestmark = [pytest.mark.influxdb, pytest.mark.cloud]

HOST = "127.31.3.1"
ADMIN = ("admin", "of the test")
BUCKET = "backups"


class Machine:
    """A metrics machine: InfluxDB and its keeper, with an administrator."""

    def __init__(self, ports: dict[str, int]) -> None:
        self.influxdb = f"http://{HOST}:{ports['influxdb']}"
        self.keeper = f"http://{HOST}:{ports['keeper']}"

    def answer(self) -> bool:
        """Whether both do now."""
        try:
            answers = [httpx.get(f"{url}/ping", trust_env=False) for url in (self.influxdb, self.keeper)]
        except httpx.ConnectError:
            return False
        return [answer.status_code for answer in answers] == [204, 204]

    def ask(self, statement: str, auth: tuple[str, str] | None = ADMIN) -> Any:
        """What InfluxDB says; an error is the test's."""
        answer = httpx.post(f"{self.influxdb}/query", params={"q": statement}, auth=auth, trust_env=False).json()
        (result,) = answer["results"]
        assert "error" not in result, result
        return [row for series in result.get("series", []) for row in series["values"]]

    def write(self, database: str, line: str) -> None:
        """One point."""
        url = f"{self.influxdb}/write"
        answer = httpx.post(url, params={"db": database}, content=line, auth=ADMIN, trust_env=False)
        assert answer.status_code == 204, answer.text

    def begin(self, what: str, auth: tuple[str, str] = ADMIN, **said: str) -> httpx.Response:
        """Have the keeper begin something."""
        return httpx.post(f"{self.keeper}/{what}", json=said, auth=auth, trust_env=False)

    def have_done(self, what: str, key: str = "") -> Any:
        """Have the keeper do something, and return what came of it."""
        assert self.begin(what, key=key).status_code == 202

        def over() -> bool:
            return bool(self.told()["state"] in {"done", "failed"})

        eventually(f"{what} is over", over, seconds=30)
        return self.told()

    def told(self) -> Any:
        """What the keeper says of its last work."""
        return httpx.get(f"{self.keeper}/work", auth=ADMIN, trust_env=False).json()


@pytest.fixture(scope="module")
def aws() -> Iterator[Aws]:
    """An AWS with a bucket."""
    with aws_server() as server:
        where = {"LocationConstraint": "eu-central-1"}
        server.client("s3").create_bucket(Bucket=BUCKET, CreateBucketConfiguration=where)
        yield server


@pytest.fixture
def machine(aws: Aws, tmp_path: Path) -> Iterator[Machine]:
    """One that has just been started, with an administrator and the database `telegraf`."""
    ports = {name: free_port(HOST) for name in ("influxdb", "keeper", "backup")}
    program = find_program("influxdb", "usr/bin/influxd")
    variables = {
        **os.environ,
        **aws.variables,
        "COREOS_PRIVATE_IPV4": HOST,
        "STATE_DIRECTORY": str(tmp_path),
        "SCRATCH": str(tmp_path),
        "BACKUP_BUCKET": BUCKET,
        "BACKUP_PORT": str(ports["backup"]),
        "INFLUXDB_PORT": str(ports["influxdb"]),
        "PATH": f"{program.parent}:{os.environ['PATH']}",
    }
    with contextlib.ExitStack() as running:
        for name, module in (("influxdb", "link.metrics_store"), ("keeper", "link.metrics_keeper")):
            process = subprocess.Popen(
                [sys.executable, "-m", module],
                env={**variables, "PORT": str(ports[name])},
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
            )
            running.callback(process.wait, 10)
            running.callback(process.kill)
        there = Machine(ports)
        eventually("the machine answers", there.answer, seconds=30)
        there.ask(f"CREATE USER {ADMIN[0]} WITH PASSWORD '{ADMIN[1]}' WITH ALL PRIVILEGES", auth=None)
        there.ask('CREATE DATABASE telegraf WITH NAME "default"')
        yield there


def test_nobody_but_the_first_administrator_is_let_in(machine: Machine) -> None:
    for auth in (None, ("admin", "wrong")):
        answer = httpx.post(f"{machine.influxdb}/query", params={"q": "SHOW DATABASES"}, auth=auth, trust_env=False)
        assert answer.status_code == 401
    assert machine.begin("backups", auth=("admin", "wrong")).status_code == 401
    assert machine.told()["state"] == "none"


def test_what_is_restored_is_what_was_backed_up_and_what_came_later_is_gone(machine: Machine, aws: Aws) -> None:
    machine.write("telegraf", "system,host=a load1=1 1000")
    backup = machine.have_done("backups")
    assert backup["state"] == "done", backup
    machine.write("telegraf", "system,host=a load1=2 2000")
    assert len(machine.ask('SELECT * FROM telegraf."default".system')) == 2
    restored = machine.have_done("restores", key=backup["result"])
    assert (restored["state"], restored["result"]) == ("done", "telegraf"), restored
    assert machine.ask('SELECT load1 FROM telegraf."default".system') == [["1970-01-01T00:00:00.000001Z", 1]]
    assert machine.ask("SHOW DATABASES") == [["telegraf"]]
    stored = aws.client("s3").list_objects_v2(Bucket=BUCKET)["Contents"]
    assert backup["result"] in [each["Key"] for each in stored]


@pytest.mark.parametrize(
    ("damage", "told"),
    [
        (lambda contents: contents[:-20], "SHA-256 differs"),
        (lambda _: b"not a backup at all", "SHA-256 differs"),
    ],
    ids=["cut off", "something else"],
)
def test_a_broken_archive_is_refused_and_changes_nothing(machine: Machine, aws: Aws, damage: Any, told: str) -> None:
    machine.write("telegraf", "system,host=a load1=1 1000")
    key = machine.have_done("backups")["result"]
    s3 = aws.client("s3")
    whole = s3.get_object(Bucket=BUCKET, Key=key)
    s3.put_object(Bucket=BUCKET, Key=key, Body=damage(whole["Body"].read()), Metadata=whole["Metadata"])
    machine.write("telegraf", "system,host=a load1=2 2000")
    refused = machine.have_done("restores", key=key)
    assert refused["state"] == "failed"
    assert told in refused["problem"]
    assert len(machine.ask('SELECT * FROM telegraf."default".system')) == 2


def test_a_backup_that_influxdb_cannot_read_is_found_out_before_anything_is_dropped(
    machine: Machine, aws: Aws, tmp_path: Path
) -> None:
    machine.write("telegraf", "system,host=a load1=1 1000")
    key = machine.have_done("backups")["result"]
    s3, file, folder = aws.client("s3"), tmp_path / "archive", tmp_path / "unpacked"
    s3.download_file(BUCKET, key, str(file))
    folder.mkdir()
    unpack(file, folder, digest(file))
    (shard,) = folder.glob("*.s*.tar.gz")
    shard.write_bytes(b"no shard")
    forged = tmp_path / "forged"
    s3.upload_file(str(forged), BUCKET, "influxdb/forged", ExtraArgs={"Metadata": {"sha256": pack(folder, forged)}})
    refused = machine.have_done("restores", key="influxdb/forged")
    assert refused["state"] == "failed"
    assert "the backup of telegraf cannot be restored" in refused["problem"]
    assert len(machine.ask('SELECT * FROM telegraf."default".system')) == 1
    assert machine.ask("SHOW DATABASES") == [["telegraf"]]


def test_a_backup_that_is_not_there_is_named(machine: Machine) -> None:
    refused = machine.have_done("restores", key="influxdb/none")
    assert refused["state"] == "failed"
    assert "404" in refused["problem"] or "NoSuchKey" in refused["problem"]


@pytest.mark.parametrize(
    ("files", "told"),
    [
        ({"x": "y"}, "no manifest"),
        ({"a.manifest": "{"}, "cannot be read"),
        ({"a.manifest": json.dumps({"files": [], "meta": {"fileName": "a.meta"}})}, "a.meta is missing"),
    ],
)
def test_an_archive_without_a_whole_backup_in_it_is_broken(tmp_path: Path, files: dict[str, str], told: str) -> None:
    folder, target, file = tmp_path / "in", tmp_path / "out", tmp_path / "archive"
    folder.mkdir()
    for name, text in files.items():
        (folder / name).write_text(text)
    sha256 = pack(folder, file)
    with pytest.raises(Broken, match=told):
        unpack(file, target, sha256)


async def test_work_that_breaks_off_by_a_mistake_of_ours_is_told_as_failed() -> None:
    async def mistaken() -> str:
        raise TypeError("no such argument")

    work = Work()
    work.begin("restore", mistaken())
    async with asyncio.timeout(5):
        while work.is_under_way:
            await asyncio.sleep(0)
    assert (work.told["state"], work.told["problem"]) == ("failed", "TypeError('no such argument')")


def test_an_archive_never_writes_outside_its_folder(tmp_path: Path) -> None:
    file, inside = tmp_path / "archive", tmp_path / "out"
    (tmp_path / "payload").write_text("x")
    with tarfile.open(file, "w:gz") as archive:
        archive.add(tmp_path / "payload", arcname="../escaped")
    with pytest.raises(Broken, match="cannot be unpacked"):
        unpack(file, inside, digest(file))
    assert not (tmp_path / "escaped").exists()
