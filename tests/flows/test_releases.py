"""Each fault of a bad release is really there, on a version that is deployed beside the live one and has no traffic."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest

from tasks import clients
from tasks.groups import find_group
from tasks.model import Version
from tasks.overview import find_overview
from tests.flows.embedded import Tyrell
from tests.flows.releases import Fault, bake
from tests.waiting import eventually
from tyrell.local.state import read_state

pytestmark = [pytest.mark.cloud, pytest.mark.flow]

ACME = {"x-apigee-iot-tenant-id": "acme"}
FAULTY = {
    "router": (Fault.crash, Fault.errors, Fault.flaps),
    "tenant-mgmt-api": (Fault.slow,),
    "target": (Fault.liar,),
}


@pytest.fixture(scope="module")
def images(cloud: Tyrell, stack: dict[str, object]) -> Iterator[dict[Fault, str]]:
    """An AMI with each fault. Afterwards neither they nor what was deployed from them is there for other tests."""
    state = read_state(cloud.home)
    assert state
    baked = {fault: bake(state.settings, fault, fault, role) for role, faults in FAULTY.items() for fault in faults}
    yield baked
    there = {(row.role, row.version) for row in find_overview("demo").rows}

    def retire(role: str) -> None:
        for fault in FAULTY[role]:
            if (role, fault) in there:
                cloud.ok("retire", role, fault)

    with ThreadPoolExecutor() as roles:
        list(roles.map(retire, FAULTY))
    for image in baked.values():
        clients.ec2().deregister_image(ImageId=image)


@pytest.fixture(scope="module")
def addresses(cloud: Tyrell, images: dict[Fault, str]) -> dict[Fault, str]:
    """The machine of each version that got healthy; a role's versions are deployed one after the other."""

    def deploy(role: str, faults: tuple[Fault, ...]) -> dict[Fault, str]:
        for fault in faults:
            cloud.ok("deploy", role, "--ami", images[fault], "--size", "1")
        return {fault: find_group(Version(stack="demo", role=role, id=fault)).machines[0].address for fault in faults}

    with ThreadPoolExecutor() as roles:
        healthy = {role: tuple(fault for fault in faults if fault != Fault.crash) for role, faults in FAULTY.items()}
        found = [roles.submit(deploy, role, faults) for role, faults in healthy.items()]
        return {fault: address for each in found for fault, address in each.result().items()}


def ask(url: str, timeout: float = 5) -> httpx.Response:
    return httpx.get(url, headers=ACME, trust_env=False, timeout=timeout)


def check(url: str) -> httpx.Response:
    return httpx.get(url, trust_env=False, timeout=5)


def test_errors_fail_a_fifth_of_the_requests_and_no_check(addresses: dict[Fault, str]) -> None:
    router = f"http://{addresses[Fault.errors]}:3000"
    assert Counter(ask(f"{router}/").status_code for _ in range(50)) == {200: 40, 500: 10}
    assert {check(f"{router}/health").status_code for _ in range(10)} == {200}


def test_slow_takes_400_ms_more_but_not_for_its_check(addresses: dict[Fault, str]) -> None:
    tenant_api = f"http://{addresses[Fault.slow]}:2000"
    asked, checked = ask(f"{tenant_api}/tenants"), check(f"{tenant_api}/health")
    assert (asked.status_code, checked.status_code) == (200, 200)
    assert asked.elapsed.total_seconds() > 0.4 > checked.elapsed.total_seconds()


def test_a_liar_says_it_is_healthy_and_serves_nobody(addresses: dict[Fault, str]) -> None:
    target = f"http://{addresses[Fault.liar]}:3001"
    assert (check(f"{target}/health").status_code, check(f"{target}/").status_code) == (200, 200)
    assert ask(f"{target}/").status_code == 500
    with pytest.raises(httpx.ReadTimeout):
        ask(f"{target}/", timeout=1)


def test_flaps_was_healthy_and_stays_unhealthy(addresses: dict[Fault, str]) -> None:
    router = f"http://{addresses[Fault.flaps]}:3000"
    eventually("its check to fail", lambda: check(f"{router}/health").status_code == 503, seconds=20)
    assert {check(f"{router}/health").status_code for _ in range(20)} == {503}
    assert ask(f"{router}/").status_code == 200


def test_a_version_that_crashes_fails_to_deploy_and_the_reason_is_said(
    cloud: Tyrell, images: dict[Fault, str], addresses: dict[Fault, str]
) -> None:
    failed = cloud.run("deploy", "router", "--ami", images[Fault.crash], "--size", "1")
    assert failed.returncode == 1
    assert "router crash is bad: 3 of its machines died before all were healthy" in failed.stderr
    crashed = next(each for each in cloud.json("local", "status")["instances"] if each["name"] == "demo-router-crash")
    assert "link-router.service failed: exit status 1" in cloud.ok("local", "logs", crashed["id"])
