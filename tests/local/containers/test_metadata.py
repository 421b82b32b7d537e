"""What the metadata service answers, and to whom. Nothing here needs a Docker Engine."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from tyrell.local.containers.facts import Facts
from tyrell.local.containers.metadata_service import MetadataService
from tyrell.local.containers.metadata_tree import answer
from tyrell.local.machines.metadata import Metadata
from tyrell.local.settings import Settings

ADDRESS = "10.77.0.4"

FACTS = Facts(
    metadata=Metadata(
        instance_id="i-1",
        instance_type="t3.micro",
        image_id="ami-1",
        image_location="tyrell/ami:ami-1",
        local_ipv4=ADDRESS,
        local_hostname="ip-10-77-0-4.ec2.internal",
        region="us-east-1",
        availability_zone="us-east-1a",
        user_data="#!/bin/sh",
    ),
    mac="02:00:00:00:00:04",
    reservation_id="r-1",
    key_name="laptop",
    public_key="ssh-ed25519 AAAA",
    security_groups=("default", "router"),
    profile="worker",
)


@pytest.fixture
def service(tmp_path: Path) -> MetadataService:
    service = MetadataService(Settings(home=tmp_path, machines="docker"), "no-interface")
    service.tell(FACTS)
    return service


@pytest.mark.parametrize(
    ("path", "answered"),
    [
        ("meta-data/instance-id", "i-1"),
        ("meta-data/placement/", "availability-zone\nregion"),
        ("meta-data/public-keys/", "0=laptop"),
        ("meta-data/public-keys/0/", "openssh-key"),
        ("meta-data/public-keys/0/openssh-key", "ssh-ed25519 AAAA"),
        ("meta-data/security-groups", "default\nrouter"),
        ("meta-data/iam/security-credentials/", "worker"),
        ("user-data", "#!/bin/sh"),
        ("", "dynamic/\nmeta-data/\nuser-data"),
        ("meta-data/no-such-category", None),
        ("meta-data/instance", None),
    ],
)
def test_a_path_has_a_value_or_a_listing(path: str, answered: str | None) -> None:
    assert answer(FACTS, path) == answered


def test_what_an_instance_does_not_have_is_not_listed() -> None:
    bare = replace(FACTS, public_key="", key_name="", profile="", metadata=replace(FACTS.metadata, user_data=""))

    assert answer(bare, "") == "dynamic/\nmeta-data/"
    assert answer(bare, "meta-data/public-keys/") is None
    assert answer(bare, "meta-data/iam/") is None


def test_a_token_is_good_only_for_the_instance_that_asked_for_it(service: MetadataService) -> None:
    token = service.make_token(ADDRESS, 60)

    assert service.accepts(ADDRESS, token)
    assert not service.accepts("10.77.0.5", token)
    assert not service.accepts(ADDRESS, "made up")


def test_a_token_ends_with_its_time(service: MetadataService) -> None:
    token = service.make_token(ADDRESS, 0)

    assert not service.accepts(ADDRESS, token)


def test_every_version_answers_the_same_and_unknown_ones_nothing(service: MetadataService) -> None:
    assert service.find(ADDRESS, "/latest/meta-data/instance-id") == "i-1"
    assert service.find(ADDRESS, "/2021-03-23/meta-data/instance-id") == "i-1"
    assert service.find(ADDRESS, "/1999-01-01/meta-data/instance-id") is None
    assert "latest" in (service.find(ADDRESS, "/") or "")


def test_an_address_without_an_instance_is_told_nothing(service: MetadataService) -> None:
    service.forget(ADDRESS)

    assert service.find(ADDRESS, "/latest/meta-data/instance-id") is None
