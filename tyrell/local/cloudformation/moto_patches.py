"""Where moto's EC2 leaves records over after a delete. Each patch has a contract test of moto as it is."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from functools import wraps
from typing import Any

from moto.ec2.models import EC2Backend

TAGGED = {
    "delete_internet_gateway": "internet_gateway_id",
    "delete_launch_template": "tid",
    "delete_nat_gateway": "nat_gateway_id",
    "delete_route_table": "route_table_id",
    "delete_security_group": "group_id",
    "delete_subnet": "subnet_id",
    "delete_volume": "volume_id",
    "delete_vpc": "vpc_id",
    "release_address": "allocation_id",
}
"""Methods of moto's EC2Backend that delete, and their parameter with the id."""


def apply_patches() -> None:
    """Make deletes in moto's EC2 complete. Doing it twice is fine."""
    if hasattr(EC2Backend.delete_vpc, "__wrapped__"):
        return
    _after("delete_vpc", "vpc_id", _drop_network_acls)
    _after("delete_nat_gateway", "nat_gateway_id", _drop_network_interface)
    for method, parameter in TAGGED.items():
        _after(method, parameter, _drop_tags)


def _after(method: str, parameter: str, clean: Callable[[EC2Backend, str], None]) -> None:
    original = getattr(EC2Backend, method)
    signature = inspect.signature(original)

    @wraps(original)
    def patched(backend: EC2Backend, *args: Any, **kwargs: Any) -> Any:
        answer = original(backend, *args, **kwargs)
        if resource_id := signature.bind(backend, *args, **kwargs).arguments.get(parameter):
            clean(backend, resource_id)
        return answer

    setattr(EC2Backend, method, patched)


def _drop_network_acls(backend: EC2Backend, vpc_id: str) -> None:
    """moto makes a default network ACL with every VPC and keeps it when the VPC goes."""
    for acl_id, acl in list(backend.network_acls.items()):
        if acl.vpc_id == vpc_id:
            del backend.network_acls[acl_id]


def _drop_network_interface(backend: EC2Backend, nat_gateway_id: str) -> None:
    """moto keeps the network interface of a deleted NAT gateway, and with it an address of the subnet."""
    for address in backend.nat_gateways[nat_gateway_id].address_set:
        backend.enis.pop(address["networkInterfaceId"], None)


def _drop_tags(backend: EC2Backend, resource_id: str) -> None:
    """moto keeps the tags of what is deleted; DescribeTags would show them for ever."""
    backend.tags.pop(resource_id, None)
