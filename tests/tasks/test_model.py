"""The shared nouns refuse what AWS would refuse half-way through."""

from __future__ import annotations

from ipaddress import IPv4Network

import pytest
from pydantic import ValidationError

from tasks.model import Health, Network, Release, Stack, Version


def test_subnets_are_eight_equal_parts_that_do_not_overlap() -> None:
    network = Network(name="net", cidr=IPv4Network("10.1.0.0/16"))
    subnets = network.public + network.private
    assert [str(each) for each in subnets[:2]] == ["10.1.0.0/20", "10.1.16.0/20"]
    assert len({each.prefixlen for each in subnets}) == 1
    assert not any(a.overlaps(b) for a in subnets for b in subnets if a != b)


def test_the_smallest_network_still_has_subnets_that_aws_takes() -> None:
    assert {each.prefixlen for each in Network(name="net", cidr=IPv4Network("10.1.0.0/24")).public} == {28}


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"cidr": "10.0.0.0/25"}, "must be a /16 to /24"),
        ({"cidr": "10.0.0.0/8"}, "must be a /16 to /24"),
        ({"public_cidrs": ["10.0.0.0/24"]}, "public_cidrs must name four subnets or none, not 1"),
        ({"public_cidrs": [f"10.0.{part}.0/24" for part in (0, 1, 2, 2)]}, "10.0.2.0/24 and 10.0.2.0/24 overlap"),
        ({"private_cidrs": [f"10.9.{part}.0/24" for part in range(4)]}, "10.9.0.0/24 is not inside 10.0.0.0/16"),
        ({"private_cidrs": [f"10.0.255.{16 * part}/29" for part in range(4)]}, "too small"),
        ({"name": "Net"}, "'Net' cannot be used: write 1 to 32 lower-case letters"),
    ],
)
def test_a_network_that_cannot_be_is_refused(change: dict[str, object], sentence: str) -> None:
    with pytest.raises(ValidationError, match=sentence):
        Network.model_validate({"name": "net", **change})


@pytest.mark.parametrize("name", ["", "Demo", "1demo", "demo-", "a_b", "a" * 25])
def test_a_stack_name_that_aws_would_refuse_is_refused(name: str) -> None:
    with pytest.raises(ValidationError):
        Stack(name=name, network="net")


def test_versions_of_different_stacks_and_roles_may_share_a_name_but_not_tags() -> None:
    one = Version(stack="a-b", role="c", id="1")
    other = Version(stack="a", role="b-c", id="1")
    assert one.stack_name == other.stack_name
    assert one.tags != other.tags


@pytest.mark.parametrize(("healthy", "wanted", "good"), [(0, 0, False), (1, 2, False), (2, 2, True), (3, 2, True)])
def test_all_of_nothing_is_not_healthy(healthy: int, wanted: int, good: bool) -> None:
    assert Health(healthy=healthy, wanted=wanted).good is good


def test_a_noun_refuses_what_it_does_not_know() -> None:
    with pytest.raises(ValidationError, match="Extra inputs are not permitted"):
        Release.model_validate({"id": "1", "ami": "ami-1", "amy": "x"})
