"""Versions of a role in a stack: which there are, which is live, which one to go back to, and making one."""

from __future__ import annotations

from tasks import registry, traffic
from tasks.amis import find_release
from tasks.applying import apply_stack
from tasks.errors import UsageError, no_stack
from tasks.events import Event, tell_event
from tasks.groups import find_group, find_groups
from tasks.live_keys import find_live_key
from tasks.marks import find_bad
from tasks.model import Changes, Group, Release, Version
from tasks.registry_api import find_registry_api
from tasks.role_parts import ByLoadBalancer, ByNothing, ByQueue, ByRegistry
from tasks.roles import Role
from tasks.secrets import check_secrets
from tasks.shares import shares_of
from tasks.stacks import Blueprint, find_stack
from tasks.succession import left_by_rollback, only_one, replaced, way_back
from tasks.templates import version_template

KIND = "version"
INSTEAD = "a version never changes: choose another one"


def create_version(version: Version, release: Release, role: Role) -> Changes:
    """Create the version's CloudFormation stack with an empty group; adopt it when it is there already.

    Raises NotFound without a base stack or a secret that the role needs, UsageError when the version exists and is
    made of another image: a version never changes.
    """
    base = find_stack(version.stack)
    if base is None:
        raise no_stack(version.stack)
    check_made_of(version, release)
    check_secrets(version.stack, role.secrets)
    changes = apply_stack(version_blueprint(version, release, role, base.tags["tyrell:network"]), INSTEAD)
    if changes:
        tell_event(Event.VERSION_CREATED, version, release=release.id, image=release.ami)
    return changes


def version_blueprint(version: Version, release: Release, role: Role, network: str) -> Blueprint:
    """The version's CloudFormation stack, for machines in that network."""
    parameters = {
        "Stack": version.stack,
        "Network": network,
        "Version": version.id,
        "Release": release.id,
        "Image": release.ami,
    }
    return Blueprint(
        name=version.stack_name,
        template=version_template(role, find_registry_api(version.stack)),
        parameters=parameters,
        tags={**version.tags, "tyrell:kind": KIND, "tyrell:release": release.id},
    )


def find_made_of(version: Version) -> Release | None:
    """What a version that is there already is made of."""
    found = find_stack(version.stack_name)
    if found is None or "Image" not in found.parameters:
        return None
    return Release(id=found.parameters["Release"], ami=found.parameters["Image"])


def check_made_of(version: Version, release: Release) -> None:
    """Raises UsageError when the version is there and is made of something else: a version never changes."""
    made = find_made_of(version)
    if made and made.ami != release.ami:
        raise UsageError(
            f"version {version.id} of {version.role} exists and is made of {made.ami}; choose another version"
        )


def find_candidate(stack: str, role: Role, to: str, name: str) -> tuple[Version, Release]:
    """What `to` means: a version of the role that is there already, else a release (see `find_release`).

    The version is called `name`, or like the release. Raises NotFound, UsageError.
    """
    if to and not to.startswith("ami-") and name in {"", to}:
        there = Version(stack=stack, role=role.name, id=to)
        made = find_made_of(there)
        if made:
            return there, made
    release = find_release(to, name, role.machine_image)
    return Version(stack=stack, role=role.name, id=release.id), release


def find_shares(stack: str, role: Role, groups: tuple[Group, ...] | None = None) -> dict[str, int]:
    """Percent of the role's traffic by version id; empty when nothing is live. Raises EtcdUnreachable.

    `groups` are the role's, where they are known.
    """
    match role.traffic:
        case ByRegistry():
            live = registry.find_pointer(stack, role.traffic)
            return {live: 100} if live else {}
        case ByQueue():
            live = find_live_key(stack, role.name)
            return {live: 100} if live else {}
        case ByLoadBalancer():
            rule = traffic.find_rule(stack, role.name, role.traffic)
            if rule is None or not any(rule.weights.values()):
                return {}
            return shares_of(rule.weights, find_groups(stack, role.name) if groups is None else groups)
        case _:
            return {}


def is_live(stack: str, role: Role) -> bool:
    """Whether some version of the role serves; a role without traffic serves when it has all its machines."""
    groups = find_groups(stack, role.name)
    if not groups:
        return False
    if isinstance(role.traffic, ByNothing):
        return any(group.desired and len(group.in_service) >= group.desired for group in groups)
    return bool(find_shares(stack, role))


def find_live(stack: str, role: Role) -> Group:
    """The group of the version that serves. Raises NotFound without one, UsageError when two share the work."""
    return find_group(_version(stack, role, only_one(role, find_working(stack, role), "is scaled or rolled back")))


def find_working(stack: str, role: Role, groups: tuple[Group, ...] | None = None) -> dict[str, int]:
    """The versions at work by id, with their percent of the traffic, or, without traffic, with their machines.

    `groups` are all of the stack, where they are known.
    """
    known = None if groups is None else tuple(group for group in groups if group.version.role == role.name)
    if isinstance(role.traffic, ByNothing):
        known = find_groups(stack, role.name) if known is None else known
        return {group.version.id: group.desired for group in known if group.desired}
    return find_shares(stack, role, known)


def _version(stack: str, role: Role, name: str) -> Version:
    return Version(stack=stack, role=role.name, id=name)


def find_replaced(new: Version, role: Role) -> Version | None:
    """The version that `new` is to take over from. Returns and raises what `tasks.succession.replaced` does."""
    old = replaced(new.id, role, find_groups(new.stack, role.name), find_working(new.stack, role))
    return _version(new.stack, role, old) if old else None


def find_leaving(stack: str, role: Role, to: str) -> Version | None:
    """The version that a rollback leaves. Returns and raises what `tasks.succession.left_by_rollback` does."""
    groups, working = find_groups(stack, role.name), find_working(stack, role)
    leaving = left_by_rollback(to, role, groups, working)
    return _version(stack, role, leaving) if leaving else None


def find_way_back(stack: str, role: Role, leaving: str) -> Version:
    """The version to go back to from `leaving`. Returns and raises what `tasks.succession.way_back` does."""
    groups, working = find_groups(stack, role.name), find_working(stack, role)
    return _version(stack, role, way_back(leaving, role, groups, working, find_bad(stack, role.name)))
