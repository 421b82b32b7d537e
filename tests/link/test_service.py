"""How every service refuses to start, and how it ends when it is broken."""

import asyncio
import socket
from collections.abc import AsyncIterator

import pytest
from aiohttp import web

from link.shared import service
from link.shared.environment import Environment, SettingError
from tests.link.processes import HOSTS, service_process
from tests.waiting import free_port


@pytest.mark.parametrize(
    ("variables", "sentence"),
    [
        ({}, "environment variable COREOS_PRIVATE_IPV4 is not set"),
        ({"COREOS_PRIVATE_IPV4": "host"}, "COREOS_PRIVATE_IPV4 must be an IPv4 address, not 'host'"),
        (
            {"COREOS_PRIVATE_IPV4": "10.0.0.1", "ETCD_PEER_HOSTS": "http://10.0.0.2:4001"},
            "ETCD_PEER_HOSTS must be host:port,host:port, not 'http://10.0.0.2:4001'",
        ),
    ],
)
def test_a_bad_setting_is_named_in_one_sentence(variables: dict[str, str], sentence: str) -> None:
    with pytest.raises(SettingError) as refused:
        Environment(variables).etcd_endpoints()
    assert sentence in str(refused.value)


@pytest.mark.parametrize("text", ["x", "0", "65536", "nan"])
def test_a_port_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(SettingError, match=f"PORT must be a number from 1 to 65535, not '{text}'"):
        Environment({"PORT": text}).port("PORT", 3000)


def test_without_etcds_hosts_it_is_looked_for_on_this_machine() -> None:
    assert Environment({"COREOS_PRIVATE_IPV4": "10.0.0.1"}).etcd_endpoints() == ["http://10.0.0.1:4001"]
    hosts = {"COREOS_PRIVATE_IPV4": "10.0.0.1", "ETCD_PEER_HOSTS": "10.0.0.2:4001, 10.0.0.3:4002"}
    assert Environment(hosts).etcd_endpoints() == ["http://10.0.0.2:4001", "http://10.0.0.3:4002"]


async def exit_of(module: str, variables: dict[str, str]) -> tuple[int | None, str]:
    """Run a service that can not start; return its exit code and what it says."""
    async with service_process(module, variables) as process:
        _, said = await asyncio.wait_for(process.communicate(), 10)
        return process.returncode, said.decode().strip()


async def test_a_missing_setting_ends_the_process_with_2() -> None:
    code, said = await exit_of("link.target", {"COREOS_PRIVATE_IPV4": next(HOSTS)})
    assert (code, said) == (2, "target: environment variable VERSION is not set")


async def test_an_address_that_is_taken_ends_the_process_with_1_and_is_named() -> None:
    host = next(HOSTS)
    with socket.create_server((host, 0)) as taken:
        port = taken.getsockname()[1]
        code, said = await exit_of("link.router", {"COREOS_PRIVATE_IPV4": host, "PORT": str(port)})
    assert (code, said) == (1, f"router: can not listen on {host}:{port}: Address already in use")


async def test_a_service_whose_background_work_fails_stops_with_that_error() -> None:
    async def fail() -> None:
        raise RuntimeError("lost the thread")

    async def running(app: web.Application) -> AsyncIterator[None]:
        service.supervise(app, fail())
        yield

    app = service.new_app()
    app.cleanup_ctx.append(running)
    host = next(HOSTS)
    with pytest.raises(RuntimeError, match="lost the thread"):
        await asyncio.wait_for(service.serve(app, host, free_port(host)), 5)
