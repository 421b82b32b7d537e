"""What the patches rely on in moto. A failure here means: moto changed, look at moto_patches.py."""

from __future__ import annotations

import inspect

import pytest
from moto.ec2.models import EC2Backend

from tyrell.local.cloudformation.moto_patches import TAGGED, apply_patches

UNPATCHED = {name: inspect.unwrap(getattr(EC2Backend, name)) for name in TAGGED}


@pytest.fixture
def backend() -> EC2Backend:
    """A backend of its own: a region that no engine serves."""
    return EC2Backend(region_name="eu-north-1", account_id="123456789012")


def test_moto_keeps_the_network_acl_and_the_tags_of_a_deleted_vpc(backend: EC2Backend) -> None:
    vpc = backend.create_vpc("127.32.0.0/20")
    backend.create_tags([vpc.id], {"a": "b"})
    UNPATCHED["delete_vpc"](backend, vpc.id)
    assert [acl for acl in backend.network_acls.values() if acl.vpc_id == vpc.id]
    assert backend.tags[vpc.id] == {"a": "b"}


def test_moto_keeps_the_network_interface_of_a_deleted_nat_gateway(backend: EC2Backend) -> None:
    vpc = backend.create_vpc("127.32.0.0/20")
    subnet = backend.create_subnet(vpc.id, "127.32.0.0/24", "eu-north-1a")
    nat_gateway = backend.create_nat_gateway(subnet.id, "")
    interface = nat_gateway.address_set[0]["networkInterfaceId"]
    UNPATCHED["delete_nat_gateway"](backend, nat_gateway.id)
    assert interface in backend.enis
    apply_patches()
    backend.delete_nat_gateway(nat_gateway.id)
    assert interface not in backend.enis


def test_patching_twice_is_patching_once() -> None:
    apply_patches()
    patched = EC2Backend.delete_vpc
    apply_patches()
    assert EC2Backend.delete_vpc is patched


def test_every_patched_method_still_has_its_parameter() -> None:
    for name, parameter in TAGGED.items():
        assert parameter in inspect.signature(UNPATCHED[name]).parameters, name
