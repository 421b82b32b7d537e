"""Versions of a role in a stack: which there are, which is live, which one to go back to, and making one."""

from __future__ import annotations

from tasks import registry, traffic
from tasks.amis import find_release
from tasks.applying import apply_stack
from tasks.errors import NotFound, UsageError
from tasks.groups import find_group, find_groups
from tasks.live_keys import find_live_key
from tasks.marks import LEFT, find_bad, pinned_for
from tasks.model import Changes, Group, Release, Version
from tasks.registry_api import find_registry_api
from tasks.role_parts import ByLoadBalancer, ByNothing, ByQueue, ByRegistry
from tasks.roles import Role
from tasks.stacks import Blueprint, find_stack
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
    check_made_of(version, release)
    parameters = {
        "Stack": version.stack,
        "Network": base.tags["tyrell:network"],
        "Version": version.id,
        "Release": release.id,
        "Image": release.ami,
    }
    blueprint = Blueprint(
        name=version.stack_name,
        template=version_template(role, find_registry_api(version.stack)),
        parameters=parameters,
        tags={**version.tags, "tyrell:kind": KIND, "tyrell:release": release.id},
    )
    return apply_stack(blueprint, "a version never changes: choose another one")


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
    release = find_release(to, name)
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
            total = sum(rule.weights.values()) if rule else 0
            if rule is None or total == 0:
                return {}
            known = find_groups(stack, role.name) if groups is None else groups
            versions = {arn: group.version.id for group in known for arn in group.target_groups}
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
    return bool(find_shares(stack, role))


def find_live(stack: str, role: Role) -> Group:
    """The group of the version that serves. Raises NotFound without one, UsageError when two share the work."""
    return find_group(_version(stack, role, _only(role, find_working(stack, role), "is scaled or rolled back")))


def find_working(stack: str, role: Role, groups: tuple[Group, ...] | None = None) -> dict[str, int]:
    """The versions at work by id, with their percent of the traffic, or, without traffic, with their machines.

    `groups` are all of the stack, where they are known.
    """
    known = None if groups is None else tuple(group for group in groups if group.version.role == role.name)
    if isinstance(role.traffic, ByNothing):
        known = find_groups(stack, role.name) if known is None else known
        return {group.version.id: group.desired for group in known if group.desired}
    return find_shares(stack, role, known)


def _only(role: Role, working: dict[str, int], before: str) -> str:
    if not working:
        raise NotFound(f"a live version of {role.name}", f"`tyrell switch {role.name} VERSION` makes one live")
    if len(working) > 1:
        shown = " and ".join(f"{name} ({share})" for name, share in working.items())
        raise UsageError(
            f"{role.name} is between two versions, {shown}: finish it with `tyrell upgrade {role.name} --to VERSION`"
            f" or go back with `tyrell rollback {role.name}` before it {before}"
        )
    return next(iter(working))


def _version(stack: str, role: Role, name: str) -> Version:
    return Version(stack=stack, role=role.name, id=name)


def find_replaced(new: Version, role: Role) -> Version | None:
    """The version that `new` is to take over from, also half-way; None when `new` has taken over long ago.

    Raises NotFound when nothing is live, UsageError when two others share the work.
    """
    working = find_working(new.stack, role)
    others = {name: share for name, share in working.items() if name != new.id}
    for group in find_groups(new.stack, role.name):
        to = pinned_for(group)
        if group.version == new and to in others and role.traffic.kind != "none":
            raise UsageError(
                f"an unfinished upgrade goes from {role.name} {new.id} to {to}; `tyrell rollback {role.name}` ends it"
            )
    pinned = [group for group in find_groups(new.stack, role.name) if pinned_for(group) == new.id]
    before = [group.version for group in pinned if group.version != new]
    if not others and before:
        return before[0]
    if not others and new.id in working:
        return None
    return _version(new.stack, role, _only(role, others, f"goes to {new.id}"))


def find_leaving(stack: str, role: Role, to: str) -> Version:
    """The version that a rollback leaves: the one an unfinished upgrade goes to, else the live one with least traffic.

    Raises NotFound when nothing is live, UsageError when `to` is live already.
    """
    for group in find_groups(stack, role.name):
        if pinned_for(group) not in {"", to}:
            return _version(stack, role, pinned_for(group))
    others = {name: share for name, share in find_working(stack, role).items() if name != to}
    if to and not others:
        raise UsageError(f"{role.name} {to} has all traffic already")
    if not others:
        raise NotFound(f"a live version of {role.name}", f"`tyrell switch {role.name} VERSION` makes one live")
    return _version(stack, role, min(others, key=lambda name: others[name]))


def find_way_back(stack: str, role: Role, leaving: str) -> Version:
    """The version to go back to from `leaving`.

    The one that an unfinished upgrade came from, else the one it shares the traffic with, else the last known good.
    Raises NotFound when there is none.
    """
    working = find_working(stack, role)
    groups = [group for group in find_groups(stack, role.name) if group.version.id != leaving]
    for group in groups:
        if pinned_for(group) == leaving or group.version.id in working:
            return group.version
    bad = find_bad(stack, role.name)
    good = [group for group in groups if LEFT in group.tags and group.version.id not in bad]
    if not good:
        raise NotFound(f"a version of {role.name} known good to go back to", f"`tyrell versions {role.name}` shows all")
    return max(good, key=lambda group: group.tags[LEFT]).version
