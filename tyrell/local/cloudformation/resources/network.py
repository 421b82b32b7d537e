"""VPCs, subnets and internet gateways."""

from __future__ import annotations

from tyrell.local.cloudformation.resources.door import Door
from tyrell.local.cloudformation.resources.resource_type import (
    Properties,
    ResourceType,
    delete_by,
    id_as,
    list_tags,
    pick,
    words,
)


def tag_ec2(door: Door, physical_id: str, new: Properties, old: Properties) -> None:
    """Bring the tags of any EC2 resource from `old` to `new`."""
    if new.get("Tags") == old.get("Tags"):
        return
    kept = {tag["Key"] for tag in new.get("Tags", [])}
    dropped = [{"Key": tag["Key"]} for tag in old.get("Tags", []) if tag["Key"] not in kept]
    if dropped:
        door.call("ec2", "delete_tags", Resources=[physical_id], Tags=dropped)
    if new.get("Tags"):
        door.call("ec2", "create_tags", Resources=[physical_id], Tags=new["Tags"])


def _create_vpc(door: Door, p: Properties) -> str:
    return str(door.call("ec2", "create_vpc", **pick(p, "CidrBlock"))["Vpc"]["VpcId"])


def _configure_vpc(door: Door, vpc: str, new: Properties, old: Properties) -> None:
    tag_ec2(door, vpc, new, old)
    # the API takes one attribute a call
    for name in ("EnableDnsSupport", "EnableDnsHostnames"):
        if name in new and new[name] != old.get(name):
            door.call("ec2", "modify_vpc_attribute", VpcId=vpc, **{name: {"Value": new[name]}})


def _vpc_attributes(door: Door, vpc: str, p: Properties) -> Properties:
    of_vpc = [{"Name": "vpc-id", "Values": [vpc]}]
    groups = door.call("ec2", "describe_security_groups", Filters=of_vpc)["SecurityGroups"]
    lists = door.call("ec2", "describe_network_acls", Filters=of_vpc)["NetworkAcls"]
    return {
        "VpcId": vpc,
        "CidrBlock": p["CidrBlock"],
        "DefaultSecurityGroup": next((group["GroupId"] for group in groups if group["GroupName"] == "default"), ""),
        "DefaultNetworkAcl": next((acl["NetworkAclId"] for acl in lists if acl["IsDefault"]), ""),
    }


def _create_subnet(door: Door, p: Properties) -> str:
    subnet = door.call("ec2", "create_subnet", **pick(p, "VpcId CidrBlock AvailabilityZone"))["Subnet"]
    return str(subnet["SubnetId"])


def _configure_subnet(door: Door, subnet: str, new: Properties, old: Properties) -> None:
    tag_ec2(door, subnet, new, old)
    wanted = new.get("MapPublicIpOnLaunch", False)
    if wanted != old.get("MapPublicIpOnLaunch", False):
        door.call("ec2", "modify_subnet_attribute", SubnetId=subnet, MapPublicIpOnLaunch={"Value": wanted})


def _subnet_attributes(door: Door, subnet: str, _p: Properties) -> Properties:
    found = door.call("ec2", "describe_subnets", SubnetIds=[subnet])["Subnets"][0]
    return pick(found, "SubnetId VpcId CidrBlock AvailabilityZone AvailabilityZoneId")


def _attach_gateway(door: Door, p: Properties) -> str:
    door.call("ec2", "attach_internet_gateway", **pick(p, "InternetGatewayId VpcId"))
    return f"IGW|{p['VpcId']}"


TYPES = (
    ResourceType(
        name="AWS::EC2::VPC",
        fixed=words("CidrBlock"),
        mutable=words("EnableDnsSupport EnableDnsHostnames Tags"),
        required=words("CidrBlock"),
        create=_create_vpc,
        configure=_configure_vpc,
        attributes=_vpc_attributes,
        delete=delete_by("ec2", "delete_vpc", "VpcId"),
        tagging=list_tags,
    ),
    ResourceType(
        name="AWS::EC2::Subnet",
        fixed=words("VpcId CidrBlock AvailabilityZone"),
        mutable=words("MapPublicIpOnLaunch Tags"),
        required=words("VpcId CidrBlock"),
        create=_create_subnet,
        configure=_configure_subnet,
        attributes=_subnet_attributes,
        delete=delete_by("ec2", "delete_subnet", "SubnetId"),
        tagging=list_tags,
    ),
    ResourceType(
        name="AWS::EC2::InternetGateway",
        mutable=words("Tags"),
        create=lambda door, _p: door.call("ec2", "create_internet_gateway")["InternetGateway"]["InternetGatewayId"],
        configure=tag_ec2,
        attributes=id_as("InternetGatewayId"),
        delete=delete_by("ec2", "delete_internet_gateway", "InternetGatewayId"),
        tagging=list_tags,
    ),
    ResourceType(
        name="AWS::EC2::VPCGatewayAttachment",
        fixed=words("VpcId InternetGatewayId"),
        required=words("VpcId InternetGatewayId"),
        create=_attach_gateway,
        delete=lambda door, _, p: door.call("ec2", "detach_internet_gateway", **pick(p, "InternetGatewayId VpcId")),
    ),
)
