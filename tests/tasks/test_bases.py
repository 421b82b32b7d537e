"""A network and a base are found as they were asked for, so that an update of them chooses nothing anew."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tasks.applying import apply_stack
from tasks.bases import base_blueprint, check_base, find_standing
from tasks.change_sets import make_change_set
from tasks.errors import NotFound, UsageError
from tasks.model import Network, Stack
from tasks.networks import network_blueprint
from tasks.stacks import Blueprint, find_stack
from tests.local.cloudformation.stacks import Stacks, unique
from tests.tasks.own_cloudformation import own_cloudformation
from tests.tasks.own_s3 import new_bucket

CIDR = "10.9.0.0/20"


@pytest.fixture(scope="module")
def stacks(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stacks]:
    """The cloud that this process is led to."""
    with own_cloudformation(tmp_path_factory.mktemp("cloudformation")) as stacks:
        yield stacks


@pytest.fixture(scope="module")
def network(stacks: Stacks) -> Network:
    """A network in which nothing is as usual."""
    subnets = [f"10.9.{number}.0/24" for number in range(8)]
    facts = {"cidr": CIDR, "nat": "per-zone", "public_cidrs": subnets[4:], "private_cidrs": subnets[:4]}
    network = Network.model_validate({"name": unique("net"), **facts})
    apply_stack.fn(network_blueprint(network))
    return network


@pytest.fixture(scope="module")
def stack(network: Network) -> Stack:
    """A stack in which nothing is as usual."""
    stack = Stack(name=unique(), network=network.name, port=8181, registry_api="v2", usage_bucket=new_bucket())
    apply_stack.fn(base_blueprint(stack))
    return stack


def is_as(blueprint: Blueprint) -> bool:
    """Whether an update would change nothing."""
    found = find_stack(blueprint.name)
    assert found
    return make_change_set.fn(found, blueprint) is None


def test_what_was_chosen_is_found_and_is_what_is_there(network: Network, stack: Stack) -> None:
    assert find_standing(stack.name) == (network, stack)
    assert is_as(network_blueprint(network))
    assert is_as(base_blueprint(stack))


def test_another_port_is_all_that_changes(network: Network, stack: Stack) -> None:
    assert find_standing(stack.name, 9090) == (network, stack.model_copy(update={"port": 9090}))
    assert not is_as(base_blueprint(stack.model_copy(update={"port": 9090})))


def test_what_cannot_change_is_refused(stack: Stack) -> None:
    check_base(stack)
    with pytest.raises(UsageError, match="is kept with etcd's v2 API"):
        check_base(stack.model_copy(update={"registry_api": "v3"}))
    with pytest.raises(UsageError, match=f"keeps its data in bucket {stack.usage_bucket}"):
        check_base(stack.model_copy(update={"usage_bucket": ""}))


def test_a_stack_there_is_not_is_named_with_what_makes_it(stack: Stack) -> None:
    with pytest.raises(NotFound, match="stack nosuch does not exist; `tyrell up nosuch` makes it"):
        find_standing("nosuch")
    with pytest.raises(UsageError, match=f"stack name {stack.network} is taken by a stack that is no base"):
        find_standing(stack.network)
