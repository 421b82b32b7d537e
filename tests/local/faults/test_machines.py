"""Faults of machines: instances that boot late or never, stand still, flap, die."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest

from tests.local.faults.conftest import FaultyCloud
from tests.local.machines.conftest import (
    ANSWERING_IMAGE,
    ANSWERING_USER_DATA,
    Cloud,
    answer_of,
    make_subnet,
    remove_everything,
)
from tests.waiting import eventually
from tyrell.local.faults.remote import clear_faults


@pytest.fixture(scope="module")
def machines(running: FaultyCloud) -> Iterator[Cloud]:
    cloud = Cloud(running.settings, make_subnet(running.settings, "127.34.200.0/24"))
    yield cloud
    remove_everything(cloud)


def answers(machines: Cloud, instance: str) -> bool:
    """Whether the program on the instance answers now."""
    try:
        return bool(answer_of(machines.address(instance)))
    except TimeoutError:
        return False


def started(machines: Cloud) -> str:
    """Id of an instance that is to have an answering program."""
    return machines.run(machines.image(ANSWERING_IMAGE), ANSWERING_USER_DATA)


def test_an_instance_that_never_boots_is_running_and_nothing_on_it_is(cloud: FaultyCloud, machines: Cloud) -> None:
    given = cloud.give("never-boots", count=1)
    dead, alive = started(machines), None
    machines.await_state(dead, "running")
    alive = machines.answering()
    assert cloud.struck(given) == (dead,)
    assert not answers(machines, dead)
    assert "a fault: nothing starts" in machines.console(dead)
    machines.ec2.terminate_instances(InstanceIds=[dead, alive])
    machines.await_state(dead, "terminated")


def test_an_instance_that_boots_slowly_is_pending_meanwhile(cloud: FaultyCloud, machines: Cloud) -> None:
    cloud.give("slow-boot", seconds=1)
    start = time.monotonic()
    machines.await_state(started(machines), "running")
    assert time.monotonic() - start >= 1


def test_a_frozen_instance_answers_again_when_the_fault_is_taken_back(cloud: FaultyCloud, machines: Cloud) -> None:
    instance = machines.answering()
    cloud.give("freezes")
    eventually("it to stand still", lambda: not answers(machines, instance))
    assert machines.instance(instance)["State"]["Name"] == "running"
    clear_faults(cloud.settings)
    eventually("it to go on", lambda: answers(machines, instance))


def test_a_flapping_instance_comes_and_goes(cloud: FaultyCloud, machines: Cloud) -> None:
    instance = machines.answering()
    cloud.give("flaps", seconds=2.5, up=0.5)
    for _ in range(2):
        eventually("it to go", lambda: not answers(machines, instance))
        eventually("it to come", lambda: answers(machines, instance))


def test_an_instance_dies_with_the_call_that_the_fault_waits_for(cloud: FaultyCloud, machines: Cloud) -> None:
    instance = machines.answering()
    cloud.give("dies", call="ec2.DescribeKeyPairs", nth=2)
    cloud.client("ec2").describe_key_pairs()
    assert answers(machines, instance)
    cloud.client("ec2").describe_key_pairs()
    stopped = machines.await_state(instance, "stopped")
    assert stopped["StateReason"]["Message"].endswith("a fault: the machine died")


def test_a_frozen_instance_can_be_terminated(cloud: FaultyCloud, machines: Cloud) -> None:
    instance = machines.answering()
    cloud.give("freezes")
    eventually("it to stand still", lambda: not answers(machines, instance))
    machines.ec2.terminate_instances(InstanceIds=[instance])
    machines.await_state(instance, "terminated")
