"""Whether the core-services of a stack are to be replaced, and by what."""

from __future__ import annotations

from itertools import count

from tasks.builds import find_builds
from tasks.core_services import CORE_SERVICES
from tasks.groups import find_groups
from tasks.marks import find_bad
from tasks.model import Noun, Release, Version
from tasks.pins import pinned_for
from tasks.releases import find_planned, offer_of
from tasks.roles import Role, load_role
from tasks.versions import find_made_of, find_working


class Renewal(Noun):
    """Core-services of a stack are to be replaced."""

    live: str
    """The version at work; of two, the one that has more machines."""
    version: Version
    """The one that takes over."""
    release: Release
    because: tuple[str, ...]


def find_renewal(stack: str, wanted: bool | None) -> Renewal | None:
    """What core-services are to be replaced by; None when they stay as they are.

    They are replaced by the newest machine image when what it has for them differs, unless it has failed before. When
    that is `wanted` they are replaced in any case, if need be by new machines of the same image. One that an earlier
    run has begun goes on. Raises EtcdUnreachable.
    """
    role = load_role(CORE_SERVICES)
    working = find_working(stack, role)
    if wanted is False or not working:
        return None
    live = max(working, key=lambda name: working[name])
    return _unfinished(stack, role, live) or _newer(stack, role, live) or (_same(stack, role, live) if wanted else None)


def _renewal(stack: str, live: str, name: str, release: Release, *because: str) -> Renewal:
    version = Version(stack=stack, role=CORE_SERVICES, id=name)
    return Renewal(live=live, version=version, release=release, because=because)


def _unfinished(stack: str, role: Role, live: str) -> Renewal | None:
    for group in find_groups(stack, role.name):
        made_of = find_made_of(group.version)
        if made_of and pinned_for(group) == group.version.id:
            return _renewal(stack, live, group.version.id, made_of, "an earlier run has begun it")
    return None


def _newer(stack: str, role: Role, live: str) -> Renewal | None:
    builds = [build for build in find_builds(role.machine_image) if build.state == "available" and build.release]
    if not builds or builds[0].release in find_bad(stack, role.name):
        return None
    planned = find_planned(stack, role, offer_of(builds[0]))
    if not planned.changed:
        return None
    return _renewal(stack, live, planned.version, Release(id=planned.version, ami=planned.ami), *planned.changed)


def _same(stack: str, role: Role, live: str) -> Renewal | None:
    made_of = find_made_of(Version(stack=stack, role=role.name, id=live))
    if made_of is None:
        return None
    taken = {group.version.id for group in find_groups(stack, role.name)} | find_bad(stack, role.name).keys()
    name = next(name for number in count(2) if (name := f"{made_of.id[:12]}r{number}") not in taken)
    return _renewal(stack, live, name, made_of, "it was asked for")
