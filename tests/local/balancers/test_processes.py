"""The processes of load balancers: killed, stopped, left alone."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from ipaddress import IPv4Network
from pathlib import Path

import moto.elb.urls
import pytest
from aiohttp import ClientSession

from tests.local.balancers.cloud import NO_LIVE_VERSION, Cloud, eventually, get
from tests.local.balancers.proxies import ADDRESS, ToldProxy, group
from tests.local.balancers.targets import TargetServer
from tests.waiting import free_port
from tyrell.local.balancers.engine import Balancers
from tyrell.local.server import start_server
from tyrell.local.settings import Settings

pytestmark = pytest.mark.cloud


def is_alive(pid: int) -> bool:
    try:
        return "Z" not in Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[:1]
    except FileNotFoundError:
        return False


def test_a_proxy_that_is_killed_comes_back(cloud: Cloud) -> None:
    balancer = cloud.balancer()
    listener = cloud.listener(balancer, NO_LIVE_VERSION)
    eventually(lambda: get(balancer, listener), bool)
    before = cloud.proxy_pid(balancer)
    os.kill(before, signal.SIGKILL)
    eventually(lambda: cloud.proxy_pid(balancer), lambda pid: pid != before)
    assert eventually(lambda: get(balancer, listener), bool)


def test_a_deleted_load_balancer_leaves_neither_process_nor_network_interface(cloud: Cloud) -> None:
    balancer = cloud.balancer()
    pid = cloud.proxy_pid(balancer)
    by_address = [{"Name": "addresses.private-ip-address", "Values": [balancer.address]}]
    assert len(cloud.ec2.describe_network_interfaces(Filters=by_address)["NetworkInterfaces"]) == 1
    cloud.elb.delete_load_balancer(LoadBalancerArn=balancer.arn)
    eventually(lambda: cloud.ec2.describe_network_interfaces(Filters=by_address)["NetworkInterfaces"], lambda s: not s)
    assert not is_alive(pid)


def test_the_engine_stops_with_all_its_processes_and_gives_moto_its_own_api_back(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    before = vars(moto.elb.urls)["ELBV2Response"]
    settings = Settings(
        home=tmp_path_factory.mktemp("cloud"), port=free_port("127.0.0.1"), network=IPv4Network("127.35.128.0/18")
    )
    engine = Balancers(settings)
    engine.install()
    server = start_server(settings)
    engine.start()
    cloud = Cloud(settings, engine)
    pids = [cloud.proxy_pid(cloud.balancer()) for _ in range(2)]
    assert all(is_alive(pid) for pid in pids)
    engine.stop()
    server.stop()
    assert not any(is_alive(pid) for pid in pids)
    assert vars(moto.elb.urls)["ELBV2Response"] is before


def test_a_proxy_dies_with_the_process_that_started_it(tmp_path: Path) -> None:
    program = (
        "import sys, threading; from pathlib import Path; from tyrell.local.balancers.process import ProxyProcess;"
        f"proxy = ProxyProcess(Path({str(tmp_path / 'p.sock')!r}), Path({str(tmp_path / 'p.log')!r}));"
        "proxy.ensure_running(); print(proxy.pid, flush=True); threading.Event().wait()"
    )
    with subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True) as daemon:
        assert daemon.stdout is not None
        pid = int(daemon.stdout.readline())
        eventually((tmp_path / "p.sock").exists, bool)
        assert is_alive(pid)
        daemon.kill()
    eventually(lambda: is_alive(pid), lambda alive: not alive)


def test_a_home_too_deep_for_a_unix_socket_is_refused_in_one_sentence(tmp_path: Path) -> None:
    deep = Settings(home=tmp_path / ("d" * 100))
    with pytest.raises(ValueError, match="give the cloud a shorter home"):
        Balancers(deep)


async def test_a_proxy_with_a_source_address_asks_its_targets_from_there_whatever_it_asks(
    tmp_path: Path, blue: TargetServer
) -> None:
    proxy = ToldProxy(tmp_path, source=ADDRESS)
    try:
        proxy.tell(group(blue))
        await proxy.healthy(blue)
        async with ClientSession() as client:
            await client.get(f"{proxy.url}/plain")
            async with client.ws_connect(f"{proxy.url}/ws"):
                pass
    finally:
        proxy.process.stop()
    assert blue.clients == {"/health": ADDRESS, "/plain": ADDRESS, "/ws": ADDRESS}
