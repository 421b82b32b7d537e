"""Route 53 hosted zones and their records."""

from __future__ import annotations

import uuid
from typing import Any

from tyrell.local.cloudformation.errors import ResourceFailedError
from tyrell.local.cloudformation.resources.door import Door
from tyrell.local.cloudformation.resources.resource_type import Properties, ResourceType, delete_by, pick, words

RECORD = "Name Type TTL AliasTarget SetIdentifier Weight"


def _create_zone(door: Door, p: Properties) -> str:
    zone = door.call("route53", "create_hosted_zone", Name=p["Name"], CallerReference=str(uuid.uuid4()))
    return str(zone["HostedZone"]["Id"]).removeprefix("/hostedzone/")


def _zone_attributes(door: Door, zone: str, _p: Properties) -> dict[str, Any]:
    found = door.call("route53", "get_hosted_zone", Id=zone)
    return {"Id": zone, "NameServers": found.get("DelegationSet", {}).get("NameServers", [])}


def _zone_of(door: Door, p: Properties) -> str:
    if "HostedZoneId" in p:
        return str(p["HostedZoneId"])
    wanted = str(p.get("HostedZoneName", "")).rstrip(".")
    for zone in door.call("route53", "list_hosted_zones")["HostedZones"]:
        if zone["Name"].rstrip(".") == wanted:
            return str(zone["Id"])
    raise ResourceFailedError(f"No hosted zone named {wanted} found.")


def _record(p: Properties) -> dict[str, Any]:
    record = pick(p, RECORD)
    if "ResourceRecords" in p:
        record["ResourceRecords"] = [{"Value": value} for value in p["ResourceRecords"]]
    if "AliasTarget" in p:
        record["AliasTarget"] = {"EvaluateTargetHealth": False, **p["AliasTarget"]}
    return record


def _change(door: Door, action: str, p: Properties) -> None:
    changes = [{"Action": action, "ResourceRecordSet": _record(p)}]
    door.call(
        "route53", "change_resource_record_sets", HostedZoneId=_zone_of(door, p), ChangeBatch={"Changes": changes}
    )


def _create_record(door: Door, p: Properties) -> str:
    _change(door, "CREATE", p)
    return str(p["Name"])


def _configure_record(door: Door, _: str, new: Properties, old: Properties) -> None:
    if old:
        _change(door, "UPSERT", new)


TYPES = (
    ResourceType(
        name="AWS::Route53::HostedZone",
        fixed=words("Name"),
        required=words("Name"),
        create=_create_zone,
        attributes=_zone_attributes,
        delete=delete_by("route53", "delete_hosted_zone", "Id"),
    ),
    ResourceType(
        name="AWS::Route53::RecordSet",
        fixed=words("Name HostedZoneId HostedZoneName SetIdentifier"),
        mutable=words("Type TTL AliasTarget Weight ResourceRecords"),
        required=words("Name Type"),
        create=_create_record,
        configure=_configure_record,
        delete=lambda door, _, p: _change(door, "DELETE", p),
    ),
)
