"""Data that outlive stacks, as a person has to do with them: on an embedded cloud, through the command."""

from __future__ import annotations

import json
from collections.abc import Iterator

import httpx
import pytest
from prefect.settings import PREFECT_API_URL, temporary_settings

from flows.base_stack import create_base_stack
from flows.network import create_network
from tasks.buckets import find_bucket
from tasks.model import Network, Stack
from tasks.stack_buckets import find_buckets
from tasks.stacks import find_stack, find_stacks
from tests.data.conftest import NETWORK
from tests.flows.embedded import Tyrell
from tests.tasks.own_s3 import contents, deny, new_bucket, put
from tests.waiting import eventually
from tyrell.bring_up import wanted
from tyrell.environment import Cloud
from tyrell.options import enter

pytestmark = [pytest.mark.cloud, pytest.mark.flow]

STACK, NETWORK_NAME = "lab", "lab-network"


@pytest.fixture
def old(cloud: Tyrell) -> str:
    return new_bucket()


@pytest.fixture
def new(cloud: Tyrell) -> str:
    return new_bucket()


@pytest.fixture
def given(cloud: Tyrell) -> str:
    return new_bucket()


@pytest.fixture
def own(cloud: Tyrell, given: str) -> Iterator[str]:
    """The device data bucket of a stack without machines; its usage bucket was given."""
    with temporary_settings({PREFECT_API_URL: cloud.cloud_environment["PREFECT_API_URL"]}):
        create_network(Network.model_validate({"name": NETWORK_NAME, "cidr": NETWORK}), STACK)
        create_base_stack(Stack(name=STACK, network=NETWORK_NAME, port=8080, usage_bucket=given))
    (name,) = [bucket.name for bucket in find_buckets(find_stack(STACK)) if not bucket.given]
    yield name
    cloud.ok("down", STACK, "--yes")


def test_a_merge_moves_everything_and_says_so(cloud: Tyrell, old: str, new: str) -> None:
    objects = {f"device/{number}": b"21" for number in range(50)}
    put(old, objects)
    assert f"would move 50 objects (100 bytes) from {old} to {new}" in cloud.ok("data", "merge", old, new, "--dry-run")
    assert contents(new) == {}
    assert f"moved 50 objects (100 bytes) from {old} to {new}" in cloud.ok("data", "merge", old, new)
    assert (contents(old), contents(new)) == ({}, objects)
    assert cloud.json("data", "merge", old, new)["counts"] == dict.fromkeys(("copied", "found", "gone", "left"), 0)


def test_what_cannot_be_merged_is_named_and_the_command_fails(cloud: Tyrell, old: str, new: str) -> None:
    put(old, {"allowed": b"1", "denied": b"2", "taken\n": b"3"})
    put(new, {"taken\n": b"4"})
    deny(new, "s3:PutObject", "denied")
    done = cloud.run("data", "merge", old, new)
    assert done.returncode == 1
    assert "left 'denied': CopyObject was refused: 403 Forbidden" in done.stdout
    assert "left 'taken\\n': the new bucket has other content under this key" in done.stdout
    assert (contents(old), contents(new)["allowed"]) == ({"denied": b"2", "taken\n": b"3"}, b"1")
    again = cloud.run("data", "merge", old, new, "--json")
    assert (again.returncode, [each["key"] for each in json.loads(again.stdout)["problems"]]) == (
        1,
        ["denied", "taken\n"],
    )


def test_the_run_has_a_progress_bar_and_a_summary_and_fails_in_prefect(cloud: Tyrell, old: str, new: str) -> None:
    put(old, {"a": b"1", "taken": b"1"})
    put(new, {"taken": b"2"})
    cloud.run("data", "merge", old, new)
    with httpx.Client(base_url=cloud.cloud_environment["PREFECT_API_URL"], trust_env=False) as api:
        (run,) = api.post(
            "/flow_runs/filter", json={"flow_runs": {"name": {"any_": [f"merge {old} into {new}"]}}}
        ).json()
        found = api.post("/artifacts/filter", json={"flow_runs": {"id": {"any_": [run["id"]]}}}).json()
    assert run["state"]["type"] == "FAILED"
    artifacts = {artifact["key"]: artifact["data"] for artifact in found}
    assert artifacts[f"{old}-to-{new}-progress"] == 100
    assert "left 'taken'" in artifacts[f"{old}-to-{new}-merge"]


def test_a_killed_merge_is_finished_by_the_same_command(cloud: Tyrell, old: str, new: str) -> None:
    objects = {f"device/{number}": str(number).encode() for number in range(500)}
    put(old, objects)
    killed = cloud.started("data", "merge", old, new, "--parallel", "2")
    eventually("the merge to be half-way", lambda: contents(new), seconds=60)
    killed.kill()
    killed.wait()
    assert contents(old)
    cloud.ok("data", "merge", old, new)
    assert (contents(old), contents(new)) == ({}, objects)


def test_buckets_that_cannot_be_used_are_refused_before_anything_is_made(cloud: Tyrell, old: str) -> None:
    for command, sentence in (
        (f"data merge {old} gone-bucket", "bucket gone-bucket does not exist"),
        (f"down {STACK} --yes --yes-delete-data {STACK}", "--yes-delete-data says nothing without --delete-data"),
        ("up other --device-data-bucket gone-bucket", "bucket gone-bucket does not exist"),
    ):
        done = cloud.run(*command.split())
        assert (done.returncode, f"tyrell: {sentence}" in done.stderr) == (2, True), done.stderr
    assert not find_stacks({"tyrell:made-for": "other"})


def test_a_stack_uses_the_bucket_it_was_given_and_goes_on_using_it(cloud: Tyrell, own: str, given: str) -> None:
    base = find_stack(STACK)
    assert base
    assert base.outputs["UsageBucket"] == given
    _, again = wanted(STACK, "", "", 0, enter(Cloud.local))
    assert (again.device_data_bucket, again.usage_bucket) == ("", given)
    refused = cloud.run("up", STACK, "--usage-bucket", own)
    assert (refused.returncode, f"keeps its data in bucket {given}" in refused.stderr) == (2, True)


def test_going_down_keeps_the_buckets_and_names_them(cloud: Tyrell, own: str, given: str) -> None:
    changes = cloud.json("down", STACK, "--yes")["changes"]
    assert {f"kept bucket {own}", f"kept bucket {given}"} <= set(changes)
    assert find_bucket(own)


def test_data_go_down_with_a_stack_only_when_told_twice(cloud: Tyrell, own: str, given: str) -> None:
    put(own, {"reading": b"21"})
    put(given, {"usage": b"1"})
    refused = cloud.run("down", STACK, "--yes", "--delete-data")
    assert refused.returncode == 2
    assert f"bucket {own} of stack {STACK} would be deleted with the data in it" in refused.stderr
    assert find_stack(STACK)
    assert contents(own) == {"reading": b"21"}
    changes = cloud.json("down", STACK, "--yes", "--delete-data", "--yes-delete-data", STACK)["changes"]
    assert f"deleted bucket {own}, objects and versions in it: 1" in changes
    assert f"kept bucket {given}" in changes
    assert (find_stack(STACK), find_bucket(own), contents(given)) == (None, False, {"usage": b"1"})


def test_an_empty_bucket_goes_down_with_its_stack_when_told_once(cloud: Tyrell, own: str, given: str) -> None:
    cloud.ok("down", STACK, "--yes", "--delete-data")
    assert (find_bucket(own), find_bucket(given)) == (False, True)
