"""The log shipper as a process, between a real journal and a server that takes what Loki takes."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import ExitStack, asynccontextmanager
from pathlib import Path

import pytest

from tests.link.aws_server import Aws
from tests.link.journals import JournalWriter
from tests.link.loki_server import Loki
from tests.link.processes import ROOT, service_process
from tests.link.waiting import eventually
from tyrell.local.debian import NotToBeHad

pytestmark = pytest.mark.cloud

LABELS = {"stack": "lab", "role": "router", "version": "v1", "instance": "i-1"}


class Machine:
    """A machine with a journal; its shipper can be started again and again."""

    def __init__(self, folder: Path) -> None:
        self.state, self.log, self._journal = folder / "state", folder / "shipper.log", folder / "journal"
        for made in (self.state, self._journal):
            made.mkdir()
        self.journal = JournalWriter(self._journal)

    @asynccontextmanager
    async def shipper(self, **settings: str) -> AsyncIterator[asyncio.subprocess.Process]:
        """Run the shipper; killed at the end."""
        variables = {
            "JOURNAL": str(self._journal),
            "STATE_DIRECTORY": str(self.state),
            "ZETTA_STACK": "lab",
            "LINK_INSTANCE_TYPE": "router",
            "ZETTA_VERSION": "v1",
            "INSTANCE_ID": "i-1",
            "INTERVAL": "0.1",
        }
        async with service_process("link.log_shipper", variables | settings, output=self.log) as process:
            yield process

    async def says(self, beginning: str) -> None:
        """Wait until the shipper says something that begins like this."""

        async def look() -> bool:
            lines = self.log.read_text().splitlines() if self.log.exists() else []
            return any(json.loads(line)["message"].startswith(beginning) for line in lines)

        await eventually(f"the shipper says {beginning}...", look, 20)


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    try:
        return Machine(tmp_path)
    except NotToBeHad as error:
        pytest.skip(f"no journal can be written: {error}")


@pytest.fixture
def loki() -> Loki:
    """One that does not run yet."""
    return Loki()


@pytest.fixture
def running(loki: Loki) -> Iterator[Loki]:
    with loki.running():
        yield loki


async def arrived(loki: Loki, wanted: Callable[[], bool]) -> None:
    async def look() -> bool:
        assert not loki.wrong
        return wanted()

    await eventually("the lines to arrive", look, 20)


async def test_what_units_say_arrives_in_order_with_few_labels(machine: Machine, running: Loki) -> None:
    machine.journal.say("one", "two")
    machine.journal.say("three", unit="init.scope", UNIT="etcd.service")
    machine.journal.say("four", unit="session-1.scope")
    async with machine.shipper(LOKI_URL=running.url):
        await arrived(running, lambda: len(running.lines) == 4)
    units = ("link-router.service", "link-router.service", "etcd.service", "system")
    assert [(unit, text) for unit, _, text in running.lines] == list(
        zip(units, ("one", "two", "three", "four"), strict=True)
    )
    assert running.labels == {tuple(sorted({**LABELS, "unit": unit}.items())) for unit in units}


def test_grafana_asks_for_labels_that_are_sent() -> None:
    dashboards = (ROOT / "roles" / "metrics" / "grafana" / "dashboards").glob("*.json")
    queries = [query for file in dashboards for query in re.findall(r'"expr": "{(.*?)}"', file.read_text())]
    assert queries
    assert {name for query in queries for name in re.findall(r"(\w+)=", query)} <= {*LABELS, "unit"}


async def test_text_of_any_kind_arrives_whole(machine: Machine, running: Loki) -> None:
    said: list[str | bytes] = ['{"message": "a \\"quote\\""}', "x" * 40_000, "two\nlines", "ä\x1b[1m", b"\xff half"]
    machine.journal.say(*said)
    async with machine.shipper(LOKI_URL=running.url):
        await arrived(running, lambda: len(running.lines) == len(said))
    assert running.texts == [text if isinstance(text, str) else text.decode(errors="replace") for text in said]


async def test_nothing_is_lost_and_nothing_comes_twice_while_loki_and_the_shipper_come_and_go(
    machine: Machine, loki: Loki
) -> None:
    said = [f"line {number}" for number in range(4500)]
    with ExitStack() as first:
        first.enter_context(loki.running())
        machine.journal.say(*said[:1500])
        async with machine.shipper(LOKI_URL=loki.url):
            await arrived(loki, lambda: len(loki.lines) == 1500)
            first.close()
            machine.journal.say(*said[1500:3000])
            await machine.says(f"lines wait in the journal: Loki at {loki.url} does not answer: ")
    machine.journal.say(*said[3000:])
    with loki.running():
        async with machine.shipper(LOKI_URL=loki.url):
            await arrived(loki, lambda: len(loki.lines) >= 4500)
    assert loki.texts == said
    assert loki.pushes <= 8, "lines are sent in batches"


async def test_what_was_said_last_is_sent_before_it_ends(machine: Machine, running: Loki) -> None:
    async with machine.shipper(LOKI_URL=running.url, INTERVAL="3600") as process:
        await machine.says("started")
        machine.journal.say("goodbye")
        process.terminate()
        assert await process.wait() == 0
    assert "goodbye" in running.texts


async def test_a_loki_that_is_busy_is_asked_again_and_lines_it_never_takes_are_told(
    machine: Machine, running: Loki
) -> None:
    running.refuses = (429, "Ingestion rate limit exceeded")
    machine.journal.say("waits")
    async with machine.shipper(LOKI_URL=running.url):
        await machine.says(f"lines wait in the journal: Loki at {running.url} answers 429: Ingestion rate limit")
        running.refuses = None
        await arrived(running, lambda: running.texts == ["waits"])
        running.refuses = (400, "entry too far behind")
        machine.journal.say("too old")
        await machine.says(f"lines are lost: Loki at {running.url} answers 400: entry too far behind")
        running.refuses = None
        machine.journal.say("new")
        await arrived(running, lambda: running.texts == ["waits", "new"])


async def test_where_loki_is_stands_in_the_stacks_secret_once_there_is_one(
    machine: Machine, running: Loki, aws: Aws
) -> None:
    values = {"url": "http://127.31.0.9:8086", "database": "telegraf", "username": "u", "password": "p"}
    secrets = aws.client("secretsmanager")
    machine.journal.say("early")
    async with machine.shipper(**aws.variables):
        await machine.says("lines wait in the journal: there is no secret tyrell/lab/metrics")
        secrets.create_secret(Name="tyrell/lab/metrics", SecretString=json.dumps(values | {"loki": running.url}))
        await arrived(running, lambda: running.texts == ["early"])


async def test_nothing_is_sent_to_a_metrics_stack_without_loki(machine: Machine, aws: Aws) -> None:
    values = {"url": "http://127.31.0.9:8086", "database": "telegraf", "username": "u", "password": "p"}
    aws.client("secretsmanager").create_secret(Name="tyrell/lab/metrics", SecretString=json.dumps(values))
    machine.journal.say("stays here")
    async with machine.shipper(**aws.variables):
        await machine.says("lines wait in the journal: secret tyrell/lab/metrics names no Loki")
    assert list(machine.state.iterdir()) == []


async def test_a_machine_without_a_journal_needs_no_shipper(machine: Machine) -> None:
    async with machine.shipper(JOURNAL="") as process:
        assert await process.wait() == 0
    await machine.says("this machine has no journal: nothing is sent")


async def test_a_journal_that_cannot_be_read_is_told_with_the_reason(machine: Machine, running: Loki) -> None:
    (machine.state / "cursor").write_text("nonsense")
    machine.journal.say("one")
    async with machine.shipper(LOKI_URL=running.url):
        await machine.says("lines wait in the journal: journalctl ends with 1: Failed to seek to cursor")
