"""S3 buckets and their policies."""

from __future__ import annotations

from typing import Any

from tyrell.local.cloudformation.errors import ResourceFailedError
from tyrell.local.cloudformation.resources.door import Door
from tyrell.local.cloudformation.resources.resource_type import (
    Name,
    Properties,
    ResourceType,
    delete_by,
    list_tags,
    pick,
    words,
)

LIFECYCLE_RULE = words(
    "Id Status Prefix ExpirationInDays NoncurrentVersionExpiration AbortIncompleteMultipartUpload Transitions"
)


def _encryption(rules: Properties) -> dict[str, Any]:
    return {
        "Rules": [
            pick(rule, "BucketKeyEnabled")
            | {"ApplyServerSideEncryptionByDefault": rule.get("ServerSideEncryptionByDefault")}
            for rule in rules["ServerSideEncryptionConfiguration"]
        ]
    }


def _lifecycle_rule(number: int, rule: Properties) -> dict[str, Any]:
    if unknown := sorted(rule.keys() - LIFECYCLE_RULE):
        raise ResourceFailedError(f"Encountered unsupported property {unknown[0]}")
    result = pick(rule, "Status NoncurrentVersionExpiration AbortIncompleteMultipartUpload")
    result |= {"ID": rule.get("Id", f"rule-{number}"), "Filter": {"Prefix": rule.get("Prefix", "")}}
    if "ExpirationInDays" in rule:
        result["Expiration"] = {"Days": rule["ExpirationInDays"]}
    if "Transitions" in rule:
        result["Transitions"] = [
            {"StorageClass": move["StorageClass"], "Days": move["TransitionInDays"]} for move in rule["Transitions"]
        ]
    return result


def _lifecycle(configuration: Properties) -> dict[str, Any]:
    return {"Rules": [_lifecycle_rule(number, rule) for number, rule in enumerate(configuration["Rules"])]}


def _tag_set(tags: list[dict[str, str]]) -> dict[str, Any]:
    """Through the API, S3 takes no tag that begins with aws:, not even from us."""
    return {"TagSet": [tag for tag in tags if not tag["Key"].startswith("aws:")]}


SETTINGS: dict[str, tuple[str, str, Any]] = {
    "BucketEncryption": ("bucket_encryption", "ServerSideEncryptionConfiguration", _encryption),
    "PublicAccessBlockConfiguration": ("public_access_block", "PublicAccessBlockConfiguration", dict),
    "VersioningConfiguration": ("bucket_versioning", "VersioningConfiguration", dict),
    "LifecycleConfiguration": ("bucket_lifecycle_configuration", "LifecycleConfiguration", _lifecycle),
    "OwnershipControls": ("bucket_ownership_controls", "OwnershipControls", dict),
    "Tags": ("bucket_tagging", "Tagging", _tag_set),
}
"""Property -> the put_ operation, the name of its argument, and what makes the one out of the other."""

DELETED_BY_ANOTHER_NAME = {"bucket_lifecycle_configuration": "bucket_lifecycle"}


def _create_bucket(door: Door, p: Properties) -> str:
    elsewhere = {} if door.region == "us-east-1" else {"LocationConstraint": door.region}
    configuration = {"CreateBucketConfiguration": elsewhere} if elsewhere else {}
    door.call("s3", "create_bucket", Bucket=p["BucketName"], **configuration)
    return str(p["BucketName"])


def _configure_bucket(door: Door, bucket: str, new: Properties, old: Properties) -> None:
    for name, (operation, argument, convert) in SETTINGS.items():
        if name in new and new[name] != old.get(name):
            door.call("s3", f"put_{operation}", Bucket=bucket, **{argument: convert(new[name])})
        elif name in old and name not in new:
            _forget_setting(door, bucket, operation)


def _forget_setting(door: Door, bucket: str, operation: str) -> None:
    if operation == "bucket_versioning":  # can be suspended, never removed
        suspended = {"Status": "Suspended"}
        door.call("s3", "put_bucket_versioning", Bucket=bucket, VersioningConfiguration=suspended)
    else:
        door.call("s3", f"delete_{DELETED_BY_ANOTHER_NAME.get(operation, operation)}", Bucket=bucket)


def _bucket_attributes(door: Door, bucket: str, _p: Properties) -> Properties:
    return {
        "Arn": f"arn:aws:s3:::{bucket}",
        "DomainName": f"{bucket}.s3.amazonaws.com",
        "RegionalDomainName": f"{bucket}.s3.{door.region}.amazonaws.com",
    }


def _put_bucket_policy(door: Door, p: Properties) -> str:
    door.call("s3", "put_bucket_policy", Bucket=p["Bucket"], Policy=p["PolicyDocument"])
    return str(p["Bucket"])


def _configure_bucket_policy(door: Door, _: str, new: Properties, old: Properties) -> None:
    if old:
        _put_bucket_policy(door, new)


TYPES = (
    ResourceType(
        name="AWS::S3::Bucket",
        fixed=words("BucketName"),
        mutable=frozenset(SETTINGS),
        create=_create_bucket,
        configure=_configure_bucket,
        attributes=_bucket_attributes,
        delete=delete_by("s3", "delete_bucket", "Bucket"),
        named=Name("BucketName", 63, lower=True),
        tagging=list_tags,
    ),
    ResourceType(
        name="AWS::S3::BucketPolicy",
        fixed=words("Bucket"),
        mutable=words("PolicyDocument"),
        required=words("Bucket PolicyDocument"),
        create=_put_bucket_policy,
        configure=_configure_bucket_policy,
        delete=lambda door, _, p: door.call("s3", "delete_bucket_policy", Bucket=p["Bucket"]),
    ),
)
