"""Machine images that are really baked, booted and deleted, on an embedded cloud with Docker machines."""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Iterator
from typing import Any

import pytest

from tests.bakes.bakery import Bakery, await_nothing_left, relabelled
from tests.waiting import eventually

pytestmark = [pytest.mark.docker, pytest.mark.cloud]

MOST_SECONDS = 180
"""For a bake where the base image and the Docker images are there already."""


@pytest.fixture(scope="module")
def baked(cloud: Bakery) -> dict[str, Any]:
    """What the first bake of the cloud says."""
    return cloud.bake()


@pytest.fixture(scope="module")
def rebaked(cloud: Bakery, baked: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """What a bake with another router says, after one that was killed half-way."""
    with relabelled(cloud.images["router"]) as router:
        first = cloud.tyrell.started(*cloud.command(router=router))
        eventually("an instance to bake", cloud.baking_instances, 120)
        os.kill(first.pid, signal.SIGKILL)
        first.wait()
        assert cloud.left_over()["security groups"]
        yield cloud.bake(router=router)


def test_a_bake_leaves_nothing_but_its_image(cloud: Bakery, baked: dict[str, Any]) -> None:
    assert baked["outcome"] == "baked"
    assert baked["seconds"] < MOST_SECONDS
    await_nothing_left(cloud)
    [found] = cloud.builds()
    assert (found["ami"], found["kind"], found["state"]) == (baked["build"]["ami"], "link", "available")
    assert found["images"] == cloud.images


def test_the_snapshot_has_the_tags_of_its_image(cloud: Bakery, baked: dict[str, Any]) -> None:
    [snapshot] = cloud.ec2().describe_snapshots(SnapshotIds=baked["build"]["snapshots"])["Snapshots"]
    assert {tag["Key"]: tag["Value"] for tag in snapshot["Tags"]} == baked["build"]["tags"]


def test_unchanged_inputs_are_not_baked_again(cloud: Bakery, baked: dict[str, Any]) -> None:
    again = cloud.bake()
    assert (again["outcome"], again["build"]["ami"]) == ("unchanged", baked["build"]["ami"])


def test_a_bake_that_was_killed_is_swept_up_and_done_by_the_next_one(cloud: Bakery, rebaked: dict[str, Any]) -> None:
    assert (rebaked["outcome"], rebaked["changed"]) == ("baked", ["image:router"])
    await_nothing_left(cloud)


def test_a_stack_comes_up_from_the_image_and_the_image_is_kept_for_it(cloud: Bakery, rebaked: dict[str, Any]) -> None:
    ones = ("--size", "router=1", "--size", "target=1", "--size", "tenant-mgmt-api=1")
    up = cloud.tyrell.json("up", "demo", *ones)
    assert {row["role"]: row["healthy"] for row in up["rows"]} == {
        "core-services": 3,
        "device-data-worker": 0,
        "router": 1,
        "target": 10,
        "tenant-mgmt-api": 1,
        "usage-worker": 0,
    }
    newest, oldest = cloud.builds()
    assert newest["ami"] == rebaked["build"]["ami"]
    assert (len(newest["used_by"]), oldest["used_by"]) == (6, [])


def test_only_what_nobody_needs_is_pruned_and_only_when_told_to(
    cloud: Bakery, baked: dict[str, Any], rebaked: dict[str, Any]
) -> None:
    assert f"would delete {baked['build']['ami']}" in cloud.tyrell.ok("builds", "prune")
    assert len(cloud.builds()) == 2
    cloud.tyrell.ok("builds", "prune", "--yes")
    assert [build["ami"] for build in cloud.builds()] == [rebaked["build"]["ami"]]
    snapshots = cloud.ec2().describe_snapshots(Filters=[{"Name": "tag-key", "Values": ["tyrell:bake-key"]}])
    assert [each["SnapshotId"] for each in snapshots["Snapshots"]] == rebaked["build"]["snapshots"]
    assert cloud.tyrell.ok("builds", "prune", "--yes").strip() == "nothing changed: everything is as wanted"


def test_a_release_bakes_and_upgrades_only_what_it_concerns(cloud: Bakery, rebaked: dict[str, Any]) -> None:
    """The other way round: back to the router of the first bake, which is pruned by now."""
    given = [option for option in cloud.command() if option.startswith("--image")]
    planned = cloud.tyrell.json("release", "router", *given, "--dry-run")
    assert [bake["changed"] for bake in planned["bakes"]] == [["image:router"]]
    at_once = ("--no-gate", "--pause", "0", "--steady", "0")
    done = cloud.tyrell.run("release", "router", *given, *at_once, "--json", timeout=400)
    assert done.returncode == 0, done.stderr[-2000:]
    changes = json.loads(done.stdout)["changes"]
    assert any(change.startswith("created stack demo-router-") for change in changes)
    assert not any("target" in change for change in changes)
    assert cloud.builds()[0]["ami"] != rebaked["build"]["ami"]
    [router] = [row for row in cloud.tyrell.json("status")["rows"] if row["role"] == "router" and row["traffic"]]
    assert (router["healthy"], router["traffic"]) == (1, 100)
