"""What flows may do on AWS: all that they really ask for, and nothing that has no name."""

from __future__ import annotations

import importlib
import pkgutil
import re
from collections.abc import Iterator

import pytest
from prefect import Flow
from prefect.settings import PREFECT_API_URL, temporary_settings
from typer.testing import CliRunner

import flows
from tasks.flow_policies import FOLDER, flow_policies
from tests.flows.embedded import Tyrell, cloud_of_this_process
from tests.flows.releases import bake
from tests.rendered import rendered
from tests.several_machines.aws_calls import recorded
from tests.several_machines.policies import allowed, policy_names, statements
from tyrell.cli import app
from tyrell.local.state import read_state

NETWORK = "127.55.0.0/16"
STACK = "guarded"
MANAGED_POLICY = 6144
"""Characters without blanks. https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html"""

ELSEWHERE = {"build-image", "bake-ami", "prune-builds", "release", "apply"}
"""Flows that run where a Docker Engine and Packer are, or that have any other do what was planned."""


def flow_names() -> set[str]:
    """The names of all flows in `flows`."""
    modules = [importlib.import_module(f"flows.{each.name}") for each in pkgutil.iter_modules(flows.__path__)]
    return {each.name for module in modules for each in vars(module).values() if isinstance(each, Flow)}


@pytest.mark.parametrize("policy", policy_names())
def test_a_policy_names_every_action_and_fits(policy: str) -> None:
    for statement in statements(policy):
        assert statement["Effect"] == "Allow"
        assert not [action for action in statement["Action"] if "*" in action]
    assert len("".join((FOLDER / f"{policy}.json").read_text().split())) <= MANAGED_POLICY


def test_every_flow_that_changes_a_stack_has_its_policies_and_all_of_them_are_there() -> None:
    named = flow_policies()
    without = {name for name in flow_names() if name not in named and not name.startswith("metrics")}
    assert without <= ELSEWHERE
    assert named.keys() <= flow_names()
    assert {policy for policies in named.values() for policy in policies} == set(policy_names())


def test_every_kind_of_resource_in_our_templates_may_be_made_through_cloudformation() -> None:
    bodies = [
        body.partition("\nResources:")[2]
        for name, body in rendered().items()
        if name not in {"metrics.yaml", "attachment.yaml", "flow-worker.yaml"}  # which no flow makes
    ]
    types = {kind for body in bodies for kind in re.findall(r"^    Type: AWS::(\S+)", body, re.MULTILINE)}
    assert len(types) > 15
    stated = {each["Sid"] for name in policy_names() for each in statements(name) if name.startswith("made-of")}
    assert {kind.replace("::", "") for kind in types} <= stated


@pytest.fixture(scope="module")
def cloud() -> Iterator[Tyrell]:
    """A cloud of this process's own."""
    with cloud_of_this_process(NETWORK) as tyrell:
        url = tyrell.cloud_environment["PREFECT_API_URL"]
        with temporary_settings({PREFECT_API_URL: url}):
            yield tyrell


@pytest.mark.cloud
@pytest.mark.flow
@pytest.mark.long
def test_no_flow_asks_for_more_than_its_policies_allow(cloud: Tyrell) -> None:
    state = read_state(cloud.home)
    assert state
    one, two = (bake(state.settings, name) for name in ("one", "two"))
    small = ("--size", "router=1", "--size", "target=1", "--size", "tenant-mgmt-api=1")
    at_once = ("--no-gate", "--pause", "0", "--steady", "0")
    commands = {
        "bring-up": ("up", STACK, "--ami", one, "--version", "one", *small),
        "status": ("status", STACK),
        "upgrade": ("upgrade", "router", "--to", "two", "--stack", STACK, *at_once),
        "rollback": ("rollback", "router", "--stack", STACK),
        "deploy": ("deploy", "router", "--ami", two, "--version", "three", "--stack", STACK),
        "switch": ("switch", "router", "three", "--stack", STACK),
        "scale": ("scale", "router", "2", "--stack", STACK),
        "pause-workers": ("workers", "pause", "--stack", STACK),
        "retire": ("retire", "router", "one", "--stack", STACK, "--force"),
        "prune": ("prune", "--yes", "--stack", STACK),
        "sweep": ("sweep", STACK, "--yes"),
        "stack-update": ("stack", "update", STACK, "--yes"),
        "tear-down": ("down", STACK, "--yes"),
    }
    failed: dict[str, list[str]] = {}
    too_much: dict[str, list[str]] = {}
    for flow, words in commands.items():
        with recorded() as asked:
            done = CliRunner().invoke(app, list(words))
        if done.exit_code or not asked:
            failed[flow] = done.stderr.strip().splitlines()[-1:]
        if more := asked - allowed(flow):
            too_much[flow] = sorted(more)
    assert (failed, too_much) == ({}, {})
