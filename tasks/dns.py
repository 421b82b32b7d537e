"""Route 53: names in a hosted zone of ours."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from tasks.clients import route53
from tasks.errors import NotFound
from tasks.model import Changes
from tasks.steps import step

if TYPE_CHECKING:
    from types_boto3_route53.type_defs import ResourceRecordSetOutputTypeDef

TTL = 60


def find_zone(zone: str) -> str:
    """The id of the hosted zone of that name. Raises NotFound naming the zones there are."""
    pages = route53().get_paginator("list_hosted_zones").paginate()
    zones = {each["Name"].rstrip("."): each["Id"] for page in pages for each in page["HostedZones"]}
    if zone.rstrip(".") not in zones:
        raise NotFound(f"hosted zone {zone} in this account", f"its zones: {', '.join(sorted(zones)) or 'none'}")
    return zones[zone.rstrip(".")]


@step("point {name} to {host}", system="route53")
def point_name(zone: str, name: str, host: str) -> Changes:
    """Make `name`, which is in `zone`, an alias of `host` (a CNAME). Raises NotFound when the zone is not ours."""
    zone_id = find_zone(zone)
    found = _find(zone_id, name)
    if found and found["Type"] == "CNAME" and [each["Value"] for each in found.get("ResourceRecords", [])] == [host]:
        return ()
    _change(zone_id, "UPSERT", {"Name": name, "Type": "CNAME", "TTL": TTL, "ResourceRecords": [{"Value": host}]})
    return (f"{name} leads to {host}",)


@step("remove name {name}", system="route53")
def remove_name(zone: str, name: str) -> Changes:
    """Remove the name, if it is there."""
    zone_id = find_zone(zone)
    found = _find(zone_id, name)
    if found is None:
        return ()
    _change(zone_id, "DELETE", found)
    return (f"removed {name}",)


def _find(zone_id: str, name: str) -> ResourceRecordSetOutputTypeDef | None:
    found = route53().list_resource_record_sets(HostedZoneId=zone_id, StartRecordName=name, MaxItems="1")
    records = [each for each in found["ResourceRecordSets"] if each["Name"].rstrip(".") == name]
    return records[0] if records else None


def _change(zone_id: str, action: Literal["UPSERT", "DELETE"], record: object) -> None:
    route53().change_resource_record_sets(
        HostedZoneId=zone_id,
        ChangeBatch={"Changes": [{"Action": action, "ResourceRecordSet": record}]},  # type: ignore[typeddict-item]
    )
