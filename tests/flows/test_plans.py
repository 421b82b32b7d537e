"""A plan changes nothing; what is applied is exactly what was planned, or nothing when the world has moved."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from typer.testing import CliRunner, Result

from tasks import clients
from tasks.core_services import find_etcd
from tasks.groups import find_groups
from tests.flows.embedded import Tyrell
from tests.flows.prod import STACK, UNJUDGED, Prod, prod_stack
from tests.flows.releases import bake
from tyrell.cli import app
from tyrell.local.state import read_state

pytestmark = [pytest.mark.cloud, pytest.mark.flow]


@pytest.fixture(scope="module")
def prod(cloud: Tyrell) -> Iterator[Prod]:
    """A stack of release `blue`, beside which there is a release `green`."""
    state = read_state(cloud.home)
    assert state
    baked = {name: bake(state.settings, name) for name in ("green", "blue")}
    with prod_stack(cloud, baked["blue"], "blue") as stack:
        yield stack
    for image in baked.values():  # no other test's newest image
        clients.ec2().deregister_image(ImageId=image)


def apply(file: Path, *options: str) -> Result:
    """`tyrell apply FILE`, in this process."""
    return CliRunner().invoke(app, ["apply", str(file), *options])


def world() -> dict[str, Any]:
    """Everything that a plan could have changed: stacks, their change sets, groups, rules, images, keys of etcd."""
    stacks = clients.cloudformation().describe_stacks()["Stacks"]
    balancers = clients.elbv2().describe_load_balancers()["LoadBalancers"]
    listeners = [
        listener["ListenerArn"]
        for balancer in balancers
        for listener in clients.elbv2().describe_listeners(LoadBalancerArn=balancer["LoadBalancerArn"])["Listeners"]
    ]
    return {
        "stacks": {each["StackName"]: (each["StackStatus"], str(each["Tags"])) for each in stacks},
        "change sets": [
            each["ChangeSetName"]
            for stack in stacks
            for each in clients.cloudformation().list_change_sets(StackName=stack["StackName"])["Summaries"]
        ],
        "groups": find_groups(STACK),
        "rules": [str(clients.elbv2().describe_rules(ListenerArn=each)["Rules"]) for each in listeners],
        "images": [(each["ImageId"], str(each.get("Tags"))) for each in clients.ec2().describe_images()["Images"]],
        "etcd": {key: value for key, value in find_etcd(STACK).contents().digests.items() if "/services/" not in key},
    }


def test_plans_change_nothing(prod: Prod) -> None:
    before = world()
    for command in (
        ("upgrade", "router", "--to", "green"),
        ("upgrade", "core-services", "--to", "green"),
        ("deploy", "target", "--version", "newer"),
        ("switch", "router", "blue"),
        ("scale", "target", "1"),
        ("prune",),
        ("release",),
        ("workers", "run-now"),
        ("workers", "pause"),
    ):
        assert json.loads(prod.ok("plan", *command, "--json"))["draft"]["of"].startswith(STACK)
    for whole in (("up", STACK), ("down", STACK), ("sweep", STACK)):
        done = CliRunner().invoke(app, ["plan", *whole])
        assert done.exit_code == 0, done.stderr
    assert world() == before


def test_a_change_that_needs_a_change_set_is_told_by_it_and_none_is_left(prod: Prod) -> None:
    before = world()["change sets"]
    done = CliRunner().invoke(app, ["plan", "stack", "update", STACK, "--port", "8099", "--json"])
    changed = {each["logical_id"] for each in json.loads(done.stdout)["draft"]["changes"]}
    assert {"PublicListener", "InternalListener"} <= changed
    assert world()["change sets"] == before


def test_an_applied_plan_does_exactly_what_was_planned_and_tells_it_in_the_run(prod: Prod, tmp_path: Path) -> None:
    before, file = prod.live("router"), tmp_path / "plan.json"
    prod.ok("plan", "upgrade", "router", "--to", "green", *UNJUDGED, "--out", str(file))
    told = json.loads(file.read_text())
    done = apply(file, "--json")
    assert done.exit_code == 0, done.stderr
    assert prod.live("router") == "green" != before
    assert json.loads(done.stdout)["result"][0] == f"created stack {STACK}-router-green"
    assert told["draft"]["twice"][0]["machines"] == prod.group("router", before).desired
    assert told["costs"]["during"]["usd_per_hour"] > told["costs"]["before"]["usd_per_hour"]
    assert told["costs"]["after"] == told["costs"]["before"]
    url = prod.cloud.cloud_environment["PREFECT_API_URL"]
    wanted = {"artifacts": {"key": {"any_": [f"{STACK}-router-plan"]}}}
    (artifact,) = httpx.post(f"{url}/artifacts/filter", json=wanted, trust_env=False).json()
    assert f"create stack {STACK}-router-green with 3 resources" in artifact["data"]


def test_a_plan_tells_what_the_calendar_says_and_may_wait_for_its_window(prod: Prod, tmp_path: Path) -> None:
    file = tmp_path / "calendar.json"
    file.write_text(json.dumps({"freezes": [{"from": "2020-01-01T00:00", "reason": "moving house"}]}))
    prod.cloud.ok("calendar", "set", str(file), STACK)
    try:
        held = prod.ok("plan", "scale", "target", "1")
        anyway = prod.ok("plan", "scale", "target", "1", "--override-calendar", "too few of them")
    finally:
        prod.cloud.ok("calendar", "clear", STACK)
    assert f"now it would be refused: {STACK} is frozen until somebody ends it (moving house)" in held
    assert "that is recorded: too few of them" in anyway
    assert "house" not in prod.ok("plan", "scale", "target", "1")


def test_a_plan_is_refused_when_the_world_has_moved(prod: Prod, tmp_path: Path) -> None:
    file = tmp_path / "plan.json"
    prod.ok("plan", "scale", "tenant-mgmt-api", "2", "--out", str(file))
    live = prod.live("tenant-mgmt-api")
    prod.ok("scale", "tenant-mgmt-api", "3")
    before = world()
    refused = apply(file)
    assert refused.exit_code == 1
    sentence = f"tyrell: the plan was made when tenant-mgmt-api {live} was: 1 machines, "
    assert refused.stderr.strip().splitlines()[-1].startswith(sentence)
    assert world() == before


@pytest.mark.parametrize(
    ("field", "value", "sentence"),
    [
        ("cloud", "account 1 at https://cloudformation.us-east-1.amazonaws.com", "the plan is for account 1 at"),
        ("tyrell", "9.9", "the plan was made by Tyrell 9.9"),
    ],
)
def test_a_plan_of_elsewhere_is_refused(prod: Prod, tmp_path: Path, field: str, value: str, sentence: str) -> None:
    file = tmp_path / "plan.json"
    prod.ok("plan", "scale", "router", "3", "--out", str(file))
    file.write_text(json.dumps({**json.loads(file.read_text()), field: value}))
    refused = apply(file)
    assert (refused.exit_code, sentence in refused.stderr) == (2, True)
