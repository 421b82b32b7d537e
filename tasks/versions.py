"""Versions of a role in a stack: which there are, which is live, and making and removing one."""

from __future__ import annotations

from tasks import registry, traffic
from tasks.errors import NotFound, UsageError
from tasks.groups import find_group, find_groups
from tasks.model import Changes, Release, Version
from tasks.roles import ByLoadBalancer, ByNothing, ByRegistry, Role
from tasks.stacks import apply_stack, find_stack
from tasks.templates import version_template

KIND = "version"


def create_version(version: Version, release: Release, role: Role) -> Changes:
    """Create the version's CloudFormation stack with an empty group; adopt it when it is there already.

    Raises NotFound without a base stack, UsageError when the version exists and is made of another image:
    a version never changes.
    """
    base = find_stack(version.stack)
    if base is None:
        raise NotFound(f"stack {version.stack}", f"`tyrell up {version.stack}` makes it")
    found = find_stack(version.stack_name)
    if found and found.parameters.get("Image", release.ami) != release.ami:
        made_of = found.parameters["Image"]
        raise UsageError(
            f"version {version.id} of {version.role} exists and is made of {made_of}; choose another version"
        )
    parameters = {
        "Stack": version.stack,
        "Network": base.tags["tyrell:network"],
        "Version": version.id,
        "Release": release.id,
        "Image": release.ami,
    }
    tags = {**version.tags, "tyrell:kind": KIND, "tyrell:release": release.id}
    return apply_stack(version.stack_name, version_template(role), parameters, tags).changes


def find_traffic(stack: str, role: Role) -> dict[str, int]:
    """Percent of the role's traffic by version id; empty when nothing is live. Raises EtcdUnreachable."""
    match role.traffic:
        case ByRegistry():
            live = registry.find_pointer(stack, role.traffic)
            return {live: 100} if live else {}
        case ByLoadBalancer():
            rule = traffic.find_rule(stack, role.name, role.traffic)
            total = sum(rule.weights.values()) if rule else 0
            if rule is None or total == 0:
                return {}
            versions = {arn: group.version.id for group in find_groups(stack, role.name) for arn in group.target_groups}
            return {
                versions.get(arn, "deleted"): round(100 * weight / total)
                for arn, weight in rule.weights.items()
                if weight
            }
        case _:
            return {}


def is_live(stack: str, role: Role) -> bool:
    """Whether some version of the role serves; a role without traffic serves when it has all its machines."""
    groups = find_groups(stack, role.name)
    if not groups:
        return False
    if isinstance(role.traffic, ByNothing):
        return any(group.desired and len(group.in_service) >= group.desired for group in groups)
    return bool(find_traffic(stack, role))


def check_idle(version: Version, role: Role) -> None:
    """Raises NotFound when there is no such version, UsageError when it serves."""
    find_group(version)
    if isinstance(role.traffic, ByNothing):
        raise UsageError(f"{role.name} has no traffic to tell by whether it serves; `tyrell down` removes it")
    share = find_traffic(version.stack, role).get(version.id, 0)
    if share:
        raise UsageError(f"{role.name} {version.id} has {share} % of the traffic; switch to another version first")
