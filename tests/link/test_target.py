"""The target: as a process where its start and end matter, else in this one."""

import asyncio
import functools
import json
import re
import signal

import aiohttp
import pytest

from link.shared.etcd import Etcd, Record
from link.shared.records import TARGETS, Target
from tests.link.etcd_server import HOST
from tests.link.processes import Stack, service_process, service_variables
from tests.link.waiting import eventually

pytestmark = pytest.mark.cloud


def target_variables(etcd_port: int) -> dict[str, str]:
    """The settings of a target whose record outlives it by two seconds at most."""
    return service_variables(f"{HOST}:{etcd_port}", "MAPPED_PORT") | {"VERSION": "v1", "LEASE_TTL": "2"}


async def gone(etcd: Etcd, key: str) -> bool:
    """Whether there is no such record."""
    return await etcd.get(key) is None


def authority(variables: dict[str, str]) -> str:
    """The target's ip:port."""
    return f"{variables['COREOS_PRIVATE_IPV4']}:{variables['MAPPED_PORT']}"


async def registered(etcd: Etcd, key: str) -> Record:
    """Wait for the record of a starting target."""
    return await eventually(f"{key} is registered", functools.partial(etcd.get, key)) or Record(key, "", 0, 0, 0)


async def test_a_target_registers_exactly_once_it_answers_and_leaves_on_sigterm(
    etcd: Etcd, etcd_port: int, http: aiohttp.ClientSession
) -> None:
    variables = target_variables(etcd_port)
    url = f"http://{authority(variables)}"
    async with service_process("link.target", variables) as process:
        record = await registered(etcd, TARGETS + authority(variables))
        async with http.get(f"{url}/health") as response:
            assert response.status == 200
        created = r"20\d\d-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z"
        pattern = '{"type":"cloud-target","url":"' + re.escape(url) + f'","created":"{created}","version":"v1"' + "}"
        assert re.fullmatch(pattern, record.value)
        assert record.lease != 0
        process.send_signal(signal.SIGTERM)
        assert await asyncio.wait_for(process.wait(), 5) == 0
        assert await etcd.get(record.key) is None
        assert process.stdout is not None
        lines = [json.loads(line) for line in (await process.stdout.read()).splitlines()]
        assert {"time", "level", "service", "message"} <= set(lines[0])
        assert [line["message"] for line in lines] == ["started", "registered", "record removed"]


async def test_a_killed_targets_record_goes_with_its_lease(etcd: Etcd, etcd_port: int) -> None:
    variables = target_variables(etcd_port) | {"LEASE_TTL": "1"}
    async with service_process("link.target", variables) as process:
        record = await registered(etcd, TARGETS + authority(variables))
        process.kill()
        await process.wait()
        await eventually("the record is gone", functools.partial(gone, etcd, record.key))


async def test_a_restart_frees_the_target_and_ends_the_process(
    etcd: Etcd, etcd_port: int, http: aiohttp.ClientSession
) -> None:
    variables = target_variables(etcd_port)
    async with service_process("link.target", variables) as process:
        record = await registered(etcd, TARGETS + authority(variables))
        async with http.delete(f"http://{authority(variables)}/restart") as response:
            assert response.status == 204
        assert await etcd.get(record.key) is None
        assert await asyncio.wait_for(process.wait(), 5) == 0


async def test_a_target_learns_its_tenant_and_keeps_the_record_it_was_given_in(
    stack: Stack, etcd: Etcd, http: aiohttp.ClientSession
) -> None:
    url = await stack.target(LEASE_TTL="1")
    record = await registered(etcd, TARGETS + url.removeprefix("http://"))
    target = Target.from_json(record.value)
    assert target is not None
    revision = await etcd.put(record.key, target.given_to("acme").to_json(), record.lease)

    async def knows_tenant() -> bool:
        async with http.get(url) as response:
            return bool((await response.json())["properties"]["tenantId"] == "acme")

    await eventually("the target knows its tenant", knows_tenant)
    kept = await etcd.get(record.key)
    assert kept is not None
    assert kept.mod_revision == revision


async def test_a_target_that_lost_its_lease_registers_anew_and_free(stack: Stack, etcd: Etcd) -> None:
    url = await stack.target(LEASE_TTL="1")
    record = await registered(etcd, TARGETS + url.removeprefix("http://"))
    target = Target.from_json(record.value)
    assert target is not None
    await etcd.put(record.key, target.given_to("acme").to_json(), record.lease)
    await etcd.revoke(record.lease)
    again = await registered(etcd, record.key)
    assert again.lease not in (0, record.lease)
    anew = Target.from_json(again.value)
    assert anew is not None
    assert anew.tenant is None


async def test_a_person_can_walk_from_the_root_to_a_device_and_turn_it_off(
    stack: Stack, http: aiohttp.ClientSession
) -> None:
    async with http.get(await stack.target()) as response:
        root = await response.json()
    server_url = next(link["href"] for link in root["links"] if "http://rels.zettajs.io/server" in link["rel"])
    async with http.get(server_url) as response:
        devices = (await response.json())["entities"]
    assert len(devices) == 2
    action = devices[0]["actions"][0]
    assert action["name"] == "turn-off"
    async with http.post(action["href"], data={"action": action["name"]}) as response:
        assert (response.status, (await response.json())["properties"]["state"]) == (200, "off")
    async with http.post(action["href"], data={"action": "turn-off"}) as response:
        assert response.status == 400
        assert (await response.json())["error"] == "device thermometer-1 is off: its action is turn-on, not 'turn-off'"
    async with http.get(f"{server_url}/devices/none") as response:
        assert response.status == 404


async def test_open_sockets_are_closed_with_1001_when_the_target_stops(
    stack: Stack, http: aiohttp.ClientSession
) -> None:
    url = await stack.target()
    async with http.ws_connect(f"{url}/peers/hub1") as socket:
        stopping = asyncio.create_task(stack.running.aclose())
        message = await socket.receive(timeout=5)
        assert (message.type, message.data) == (aiohttp.WSMsgType.CLOSE, 1001)
    await stopping
