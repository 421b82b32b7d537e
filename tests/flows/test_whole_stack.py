"""A whole stack on the embedded cloud, as a person uses it; each test goes on where the one before ended."""

from __future__ import annotations

import asyncio
import re
import subprocess
from collections.abc import Callable
from typing import Any

import aiohttp
import httpx
import pytest
from typer.testing import CliRunner

from tasks import clients
from tasks.groups import find_groups
from tasks.model import Row
from tasks.overview import find_overview
from tasks.stacks import find_stacks
from tests.flows.embedded import Tyrell, kill_machines
from tests.waiting import eventually
from tyrell.cli import app
from tyrell.local.link_image import etcd_binaries

pytestmark = [pytest.mark.cloud, pytest.mark.flow]

Stack = dict[str, Any]
SOON = 30
"""Seconds."""
ACME = {"x-apigee-iot-tenant-id": "acme"}


def ask(stack: Stack, path: str = "/", headers: dict[str, str] | None = None) -> httpx.Response:
    return httpx.get(f"{stack['url']}{path}", headers=headers or ACME, trust_env=False, timeout=10)


def row_of(role: str, version: str = "") -> Row:
    """The role's row in the overview of the stack as it is now."""
    (row,) = [row for row in find_overview("demo").rows if row.role == role and row.version.startswith(version)]
    return row


def live(stack: Stack, role: str) -> str:
    (version,) = [row["version"] for row in stack["rows"] if row["role"] == role and row["traffic"] == 100]
    return str(version)


def test_every_role_is_healthy_and_live(stack: Stack) -> None:
    rows = {row["role"]: row for row in stack["rows"]}
    assert {role: (row["healthy"], row["wanted"]) for role, row in rows.items()} == {
        "core-services": (3, 3),
        "device-data-worker": (0, 0),
        "router": (2, 2),
        "target": (20, 20),
        "tenant-mgmt-api": (1, 1),
        "usage-worker": (0, 0),
    }
    assert {row["traffic"] for role, row in rows.items() if role != "core-services"} == {100}


def test_a_tenant_is_answered_by_a_target_of_the_live_version(stack: Stack) -> None:
    answer = ask(stack)
    assert answer.status_code == 200
    assert answer.json()["properties"]["version"] == live(stack, "target")


async def test_a_websocket_goes_through_to_a_device(stack: Stack) -> None:
    async with aiohttp.ClientSession() as session, session.ws_connect(f"{stack['url']}/events", headers=ACME) as socket:
        reading = await asyncio.wait_for(socket.receive_json(), 10)
    assert reading


def test_the_tenant_api_lists_the_tenant(stack: Stack) -> None:
    tenants = httpx.get(f"{stack['internal_url']}/tenants", trust_env=False).text
    assert "acme" in tenants


def test_etcd_has_three_members(cloud: Tyrell, stack: Stack) -> None:
    instances = cloud.json("local", "status")["instances"]
    running = [each for each in instances if "demo-core-services" in each["name"] and each["state"] == "running"]
    addresses = [each["address"] for each in running]
    listed = subprocess.run(
        [etcd_binaries() / "etcdctl", "--endpoints", f"{addresses[0]}:4001", "member", "list"],
        capture_output=True,
        text=True,
        check=True,
        env={"ETCDCTL_API": "3"},
    ).stdout
    assert listed.count("started") == 3
    assert all(address in listed for address in addresses)


def test_bringing_it_up_again_changes_nothing_and_says_so(cloud: Tyrell, stack: Stack) -> None:
    before = {row["group"] for row in cloud.json("status")["rows"]}
    assert "nothing changed" in cloud.ok("up")
    assert {row["group"] for row in cloud.json("up")["rows"]} == before


def test_the_run_its_steps_and_its_artifact_are_in_prefect(cloud: Tyrell, stack: Stack) -> None:
    api = cloud.cloud_environment["PREFECT_API_URL"]
    wanted: dict[str, Any] = {"flow_runs": {"name": {"like_": "demo"}}}
    runs = httpx.post(f"{api}/flow_runs/filter", json=wanted, trust_env=False).json()
    assert {"bring up demo", "network demo-network", "base stack demo"} <= {run["name"] for run in runs}
    step = f"point the registry at target {live(stack, 'target')}"
    wanted = {"task_runs": {"name": {"any_": [step]}}}
    assert httpx.post(f"{api}/task_runs/filter", json=wanted, trust_env=False).json()
    artifacts = httpx.post(f"{api}/artifacts/latest/filter", json={}, trust_env=False).json()
    by_key = {artifact["key"]: artifact["data"] for artifact in artifacts}
    assert "demo-overview" in by_key
    assert by_key["demo-links"].startswith(f"- [public load balancer]({stack['url']})\n- [internal load balancer](")


@pytest.mark.parametrize("role", ["router", "target"])
def test_a_new_version_takes_over_under_load_without_a_failed_request(cloud: Tyrell, stack: Stack, role: str) -> None:
    before = live(stack, role)
    cloud.ok("deploy", role, "--version", "two")
    assert row_of(role, "two").traffic == 0
    answers = asyncio.run(statuses_while(stack, lambda: cloud.ok("switch", role, "two")))
    assert len(answers) > 50
    assert set(answers) == {200}
    assert (row_of(role, "two").traffic, row_of(role, before).traffic) == (100, 0)
    assert "nothing changed" in cloud.ok("switch", role, "two")


async def statuses_while(stack: Stack, act: Callable[[], object]) -> list[int]:
    """The statuses of requests made one after the other by four clients for as long as `act` takes."""
    acting = asyncio.create_task(asyncio.to_thread(act))
    answers: list[int] = []

    async def client(session: aiohttp.ClientSession) -> None:
        while not acting.done():
            async with session.get(stack["url"], headers=ACME) as answer:
                await answer.read()
                answers.append(answer.status)

    async with aiohttp.ClientSession() as session:
        await asyncio.gather(*(client(session) for _ in range(4)))
    await acting
    return answers


def test_a_version_that_is_not_there_is_refused_with_those_that_are(cloud: Tyrell, stack: Stack) -> None:
    refused = cloud.run("switch", "router", "nine")
    assert refused.returncode == 2
    assert re.search(r"version nine of router in stack demo does not exist; its versions: \w+, two", refused.stderr)


@pytest.mark.parametrize(
    ("command", "code", "sentence"),
    [
        (
            "deploy ruoter",
            2,
            "role 'ruoter' does not exist; there are core-services, device-data-worker, flow-worker, router, target",
        ),
        ("deploy router --version Two", 2, "'Two' cannot be used: write 1 to 16 lower-case letters and digits"),
        ("deploy router --size 99", 2, "size 99 of router is outside its bounds 1 to 12 (roles/router/role.toml)"),
        ("deploy router --ami ami-0", 2, "machine image ami-0 does not exist"),
        ("up Demo_1", 2, "'Demo_1' cannot be used: write 1 to 24 lower-case letters"),
        ("up other --cidr 127.255.0.0/30", 2, "cidr 127.255.0.0/30 must be a /16 to /24"),
        ("up other --size router", 2, "write ROLE=N, for example --size router=3"),
        ("status other", 2, "stack other does not exist; `tyrell up other` makes it"),
    ],
)
def test_bad_input_is_one_sentence(cloud: Tyrell, stack: Stack, command: str, code: int, sentence: str) -> None:
    done = CliRunner().invoke(app, command.split())
    assert done.exit_code == code
    assert sentence in done.stderr
    assert (done.stderr.startswith("tyrell: "), done.stderr.count("\n")) == (True, 1)


@pytest.mark.parametrize(
    ("command", "sentence"),
    [
        ("deploy router --stack other", "stack other does not exist; `tyrell up other` makes it"),
        ("switch core-services one", "version one of core-services in stack demo does not exist"),
        ("up demo-network", "stack name demo-network is taken by a stack that is no base of Tyrell's"),
    ],
)
def test_what_a_flow_refuses_is_one_sentence_too(cloud: Tyrell, stack: Stack, command: str, sentence: str) -> None:
    done = cloud.run(*command.split())
    assert done.returncode == 2
    assert f"tyrell: {sentence}" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_version_never_changes_what_it_is_made_of(cloud: Tyrell, stack: Stack) -> None:
    refused = cloud.run("deploy", "router", "--version", "two", "--ami", other_image())
    assert refused.returncode == 2
    assert "version two of router exists and is made of ami-" in refused.stderr


def other_image() -> str:
    image = clients.ec2().describe_images(Owners=["self"])["Images"][0]
    registered = clients.ec2().register_image(
        Name="other", ImageLocation=image["ImageLocation"], RootDeviceName="/dev/xvda"
    )
    return registered["ImageId"]


def test_a_live_version_is_not_retired_and_an_idle_one_leaves_nothing(cloud: Tyrell, stack: Stack) -> None:
    refused = cloud.run("retire", "router", "two")
    assert (refused.returncode, "router two has 100 % of the traffic" in refused.stderr) == (2, True)
    (idle,) = {row.version for row in find_overview("demo").rows if row.role == "router"} - {"two"}
    refused = cloud.run("retire", "router", idle)
    assert (refused.returncode, "for going back at once" in refused.stderr) == (2, True)
    cloud.ok("retire", "router", idle, "--force")
    assert row_of("router").version == "two"
    assert "nothing changed" in cloud.ok("switch", "router", "two")


@pytest.mark.parametrize(("role", "version"), [("router", "two"), ("target", "two"), ("tenant-mgmt-api", "")])
def test_a_killed_machine_is_seen_and_replaced(cloud: Tyrell, stack: Stack, role: str, version: str) -> None:
    (victim,) = kill_machines(cloud, f"{role}-{version}", 1)
    eventually(f"{role} to say what is wrong", lambda: bool(row_of(role, version).problems), SOON)
    eventually(f"{role} to be whole again", lambda: (r := row_of(role, version)).whole and not r.problems, SOON)
    instances = {each["id"]: each["state"] for each in cloud.json("local", "status")["instances"]}
    assert instances.get(victim) in {None, "terminated"}
    assert ask(stack).status_code == 200


def test_etcd_members_that_crash_at_once_come_back_with_their_data(cloud: Tyrell, stack: Stack) -> None:
    victims = kill_machines(cloud, "core-services", 2)
    eventually("etcd to be whole again", lambda: (r := row_of("core-services")).whole and not r.problems, SOON)
    instances = {each["id"]: each["state"] for each in cloud.json("local", "status")["instances"]}
    assert {instances[victim] for victim in victims} == {"running"}
    assert row_of("target", "two").traffic == 100
    assert ask(stack).status_code == 200


def test_the_console_of_an_instance_can_be_read(cloud: Tyrell, stack: Stack) -> None:
    instance = next(each for each in cloud.json("local", "status")["instances"] if "demo-router" in each["name"])
    assert "link-router.service" in cloud.ok("local", "logs", instance["id"])
    assert "i-none does not exist; there are i-" in cloud.run("local", "logs", "i-none").stderr


@pytest.mark.long
def test_a_killed_bring_up_goes_on_where_it_was(cloud: Tyrell, stack: Stack) -> None:
    sizes = ("--size", "router=1", "--size", "target=1")
    killed = cloud.started("up", "other", *sizes)
    eventually("the run to be half-way", lambda: len(find_groups("other")) > 0, SOON)
    killed.kill()
    killed.wait()
    rows = {row["role"]: row for row in cloud.json("up", "other", *sizes)["rows"]}
    assert {role: (row["healthy"], row["traffic"]) for role, row in rows.items()} == {
        "core-services": (3, None),
        "device-data-worker": (0, 100),
        "router": (1, 100),
        "target": (10, 100),
        "tenant-mgmt-api": (1, 100),
        "usage-worker": (0, 100),
    }
    assert ask(stack).status_code == 200
    cloud.ok("down", "other", "--yes")
    assert not find_stacks({"tyrell:made-for": "other"})


def test_tearing_down_touches_only_what_is_ours(cloud: Tyrell, stack: Stack) -> None:
    body = "Resources: {Queue: {Type: AWS::SQS::Queue}}"
    tags = [{"Key": "tyrell:kind", "Value": "network"}, {"Key": "tyrell:made-for", "Value": "left"}]
    clients.cloudformation().create_stack(StackName="shop-network", TemplateBody=body)
    clients.cloudformation().create_stack(StackName="left-network", TemplateBody=body, Tags=tags)  # type: ignore[arg-type]
    assert cloud.json("down", "shop", "--yes")["changes"] == []
    assert cloud.json("down", "left", "--yes")["changes"] == ["deleted stack left-network"]
    refused = cloud.run("down", "shop-network", "--yes")
    assert "shop-network is taken by a stack that is no base of Tyrell's" in refused.stderr


def test_tearing_down_leaves_only_the_buckets(cloud: Tyrell, stack: Stack) -> None:
    changes = cloud.json("down", "--yes")["changes"]
    assert [change for change in changes if change.startswith("kept")] == [c for c in changes if "bucket" in c]
    left = cloud.json("local", "status")
    assert not [each for each in left["instances"] if each["state"] != "terminated"]
    assert left["balancers"] == []
    assert not [command for command in cloud.processes() if "link." in command or "etcd" in command]
    assert "stack demo does not exist" in cloud.run("status").stderr
    assert cloud.json("down", "--yes")["changes"] == []
