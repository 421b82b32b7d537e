"""The categories of instance metadata, as paths with their values.

https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/ec2-instance-metadata.html
"""

from __future__ import annotations

import json
from collections.abc import Mapping

from tyrell.local.containers.facts import Facts
from tyrell.local.settings import ACCOUNT

CREDENTIALS = "meta-data/iam/security-credentials/"


def metadata_tree(facts: Facts) -> dict[str, str]:
    """Every path below `/latest/` that has a value, except credentials, which are made when they are asked for."""
    meta_data = {
        "ami-id": facts.metadata.image_id,
        "ami-launch-index": "0",
        "hostname": facts.metadata.local_hostname,
        "instance-id": facts.metadata.instance_id,
        "instance-type": facts.metadata.instance_type,
        "local-hostname": facts.metadata.local_hostname,
        "local-ipv4": facts.metadata.local_ipv4,
        "mac": facts.mac,
        f"network/interfaces/macs/{facts.mac}/device-number": "0",
        f"network/interfaces/macs/{facts.mac}/local-ipv4s": facts.metadata.local_ipv4,
        f"network/interfaces/macs/{facts.mac}/mac": facts.mac,
        "placement/availability-zone": facts.metadata.availability_zone,
        "placement/region": facts.metadata.region,
        "reservation-id": facts.reservation_id,
        "security-groups": "\n".join(facts.security_groups),
        "services/domain": "amazonaws.com",
        "services/partition": "aws",
    }
    if facts.public_key:
        meta_data["public-keys/0/openssh-key"] = facts.public_key
    tree = {f"meta-data/{path}": value for path, value in meta_data.items()}
    tree["dynamic/instance-identity/document"] = _identity_document(facts)
    if facts.metadata.user_data:
        tree["user-data"] = facts.metadata.user_data
    return tree


def answer(facts: Facts, path: str) -> str | None:
    """What is at `path` (without the version before it): a value, or the names below a folder; None for neither."""
    path = path.strip("/")
    if path == "meta-data/public-keys" and facts.public_key:
        return f"0={facts.key_name}"  # the one folder whose names are not those of what is in it
    tree = metadata_tree(facts)
    if facts.profile:
        tree[CREDENTIALS + facts.profile] = ""
    return tree[path] if path in tree else _listing(tree, path)


def _listing(tree: Mapping[str, str], folder: str) -> str | None:
    prefix = f"{folder}/" if folder else ""
    names = {
        name + ("/" if slash else "")
        for path in tree
        if path.startswith(prefix)
        for name, slash, _ in [path.removeprefix(prefix).partition("/")]
    }
    return "\n".join(sorted(names)) or None


def _identity_document(facts: Facts) -> str:
    """https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/instance-identity-documents.html"""
    document = {
        "accountId": ACCOUNT,
        "architecture": "x86_64",
        "availabilityZone": facts.metadata.availability_zone,
        "imageId": facts.metadata.image_id,
        "instanceId": facts.metadata.instance_id,
        "instanceType": facts.metadata.instance_type,
        "privateIp": facts.metadata.local_ipv4,
        "region": facts.metadata.region,
        "version": "2017-09-30",
    }
    return json.dumps(document, indent=2)
