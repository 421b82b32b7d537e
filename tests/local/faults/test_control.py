"""Giving a cloud faults and taking them back."""

from __future__ import annotations

import httpx
import pytest

from tasks.errors import UsageError
from tests.local.faults.conftest import FaultyCloud
from tyrell.local.faults.control import PATH
from tyrell.local.faults.remote import clear_faults, find_faults


def test_faults_are_listed_until_they_are_taken_back(cloud: FaultyCloud) -> None:
    first, second = cloud.give("latency", seconds=0.01), cloud.give("flaps", machines="demo-router*", up=3)
    assert find_faults(cloud.settings) == [first, second]
    assert clear_faults(cloud.settings, first.id) == [first]
    assert find_faults(cloud.settings) == [second]
    assert clear_faults(cloud.settings) == [second]
    assert find_faults(cloud.settings) == []


def test_a_fault_that_is_not_there_cannot_be_taken_back(cloud: FaultyCloud) -> None:
    given = cloud.give("no-health")
    with pytest.raises(UsageError, match=f"there is no fault 999; there are {given.id}"):
        clear_faults(cloud.settings, 999)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('{"kind": "throttling", "share": 2}', "share: Input should be less than or equal to 1"),
        ('{"kind": "dies", "share": 0.5}', "share: Extra inputs are not permitted"),
        ('{"kind": "gremlins"}', "does not match any of the expected tags"),
        ('{"kind": "no-capacity"}', "only EC2 runs out of capacity: give a call such as ec2.RunInstances"),
        ('{"kind": "not-found", "call": "s3.PUT"}', "of s3.PUT it is not known what it creates; known are ec2.Run"),
        ("{", "Invalid JSON"),
    ],
)
def test_bad_faults_are_refused_with_what_is_wrong(cloud: FaultyCloud, text: str, said: str) -> None:
    answer = httpx.post(f"{cloud.settings.endpoint}{PATH}", content=text, trust_env=False)
    assert answer.status_code == 400
    assert said in answer.text
    assert find_faults(cloud.settings) == []
