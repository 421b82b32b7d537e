"""How packets leave a subnet: route tables, routes, elastic addresses and NAT gateways."""

from __future__ import annotations

from typing import Any

from tyrell.local.cloudformation.resources.door import Door
from tyrell.local.cloudformation.resources.network import tag_ec2
from tyrell.local.cloudformation.resources.resource_type import (
    Properties,
    ResourceType,
    delete_by,
    id_as,
    list_tags,
    pick,
    same_as_given,
    words,
)


def _create_route(door: Door, p: Properties) -> str:
    door.call("ec2", "create_route", **p)
    return f"{p['RouteTableId']}|{p['DestinationCidrBlock']}"


def _configure_route(door: Door, _route: str, new: Properties, old: Properties) -> None:
    if old:
        door.call("ec2", "replace_route", **new)


def _association(door: Door, subnet: str) -> str | None:
    """The present association of a subnet; its id changes when the subnet moves to another route table."""
    of_subnet = [{"Name": "association.subnet-id", "Values": [subnet]}]
    for table in door.call("ec2", "describe_route_tables", Filters=of_subnet)["RouteTables"]:
        for association in table["Associations"]:
            if association.get("SubnetId") == subnet:
                return str(association["RouteTableAssociationId"])
    return None


def _move_association(door: Door, _: str, new: Properties, old: Properties) -> None:
    if old:
        present = _association(door, new["SubnetId"])
        table = new["RouteTableId"]
        door.call("ec2", "replace_route_table_association", AssociationId=present, RouteTableId=table)


def _delete_association(door: Door, _: str, p: Properties) -> None:
    if present := _association(door, p["SubnetId"]):
        door.call("ec2", "disassociate_route_table", AssociationId=present)


def _create_nat_gateway(door: Door, p: Properties) -> str:
    gateway = door.call("ec2", "create_nat_gateway", **pick(p, "SubnetId AllocationId"))["NatGateway"]["NatGatewayId"]
    return str(gateway)


def _nat_gateway_state(door: Door, gateway: str) -> str:
    found = door.call("ec2", "describe_nat_gateways", NatGatewayIds=[gateway])["NatGateways"]
    return str(found[0]["State"]) if found else "deleted"


def _configure_nat_gateway(door: Door, gateway: str, new: Properties, old: Properties) -> None:
    tag_ec2(door, gateway, new, old)
    door.wait_until(
        f"NAT gateway {gateway} is available", lambda: _nat_gateway_state(door, gateway) == "available", seconds=300
    )


def _delete_nat_gateway(door: Door, gateway: str, _p: Properties) -> None:
    door.call("ec2", "delete_nat_gateway", NatGatewayId=gateway)
    # its address and subnet stay in use until then
    door.wait_until(
        f"NAT gateway {gateway} is deleted", lambda: _nat_gateway_state(door, gateway) == "deleted", seconds=300
    )


def _address(door: Door, public_ip: str) -> dict[str, Any]:
    found: dict[str, Any] = door.call("ec2", "describe_addresses", PublicIps=[public_ip])["Addresses"][0]
    return found


def _tag_address(door: Door, public_ip: str, new: Properties, old: Properties) -> None:
    tag_ec2(door, _address(door, public_ip)["AllocationId"], new, old)


def _release_address(door: Door, public_ip: str, _p: Properties) -> None:
    door.call("ec2", "release_address", AllocationId=_address(door, public_ip)["AllocationId"])


TYPES = (
    ResourceType(
        name="AWS::EC2::RouteTable",
        fixed=words("VpcId"),
        mutable=words("Tags"),
        required=words("VpcId"),
        create=lambda door, p: door.call("ec2", "create_route_table", VpcId=p["VpcId"])["RouteTable"]["RouteTableId"],
        configure=tag_ec2,
        attributes=id_as("RouteTableId"),
        delete=delete_by("ec2", "delete_route_table", "RouteTableId"),
        tagging=list_tags,
    ),
    ResourceType(
        name="AWS::EC2::Route",
        fixed=words("RouteTableId DestinationCidrBlock"),
        mutable=words("GatewayId NatGatewayId"),
        required=words("RouteTableId DestinationCidrBlock"),
        create=_create_route,
        configure=_configure_route,
        attributes=same_as_given("DestinationCidrBlock"),
        delete=lambda door, _, p: door.call("ec2", "delete_route", **pick(p, "RouteTableId DestinationCidrBlock")),
    ),
    ResourceType(
        name="AWS::EC2::SubnetRouteTableAssociation",
        fixed=words("SubnetId"),
        mutable=words("RouteTableId"),
        required=words("SubnetId RouteTableId"),
        create=lambda door, p: door.call("ec2", "associate_route_table", **p)["AssociationId"],
        configure=_move_association,
        attributes=lambda door, _, p: {"Id": _association(door, p["SubnetId"])},
        delete=_delete_association,
    ),
    ResourceType(
        name="AWS::EC2::EIP",
        fixed=words("Domain"),
        mutable=words("Tags"),
        create=lambda door, _p: door.call("ec2", "allocate_address", Domain="vpc")["PublicIp"],
        configure=_tag_address,
        attributes=lambda door, public_ip, _p: pick(_address(door, public_ip), "AllocationId PublicIp"),
        delete=_release_address,
        tagging=list_tags,
    ),
    ResourceType(
        name="AWS::EC2::NatGateway",
        fixed=words("SubnetId AllocationId"),
        mutable=words("Tags"),
        required=words("SubnetId"),
        create=_create_nat_gateway,
        configure=_configure_nat_gateway,
        attributes=id_as("NatGatewayId"),
        delete=_delete_nat_gateway,
        tagging=list_tags,
    ),
)
