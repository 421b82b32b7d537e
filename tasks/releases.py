"""A release: one machine image for many roles, which of them it concerns, and the record of how it went."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime

from prefect.artifacts import create_table_artifact

from tasks.artifact_keys import What, artifact_key
from tasks.bake_keys import Offer, changed_inputs, concerning, tagged_inputs
from tasks.builds import Build, find_build
from tasks.clients import ec2
from tasks.errors import NotFound
from tasks.events import Event, tell_event
from tasks.groups import find_group, find_groups
from tasks.link_modules import ROOT
from tasks.locks import me
from tasks.model import Noun, RoleName, Version
from tasks.roles import ImageKind, Role, in_stages, load_role, role_names
from tasks.source import find_source
from tasks.steps import step
from tasks.versions import find_made_of, find_working

BEHIND = ("none", "queue", "registry", "load-balancer")
"""Kinds of traffic, what stands behind the others first."""


class Planned(Noun):
    """What a release means for one role."""

    role: RoleName
    live: str
    """The version it takes over from."""
    machines: int
    """How many of the role's machines run twice meanwhile."""
    version: str
    """The one that takes over; empty as long as nobody named it and it is not built."""
    ami: str
    """What it is made of; empty as long as that is not baked."""
    changed: tuple[str, ...]
    """Why there is something to do: the inputs of its machine image that are not as before."""


def find_released(stack: str, names: tuple[str, ...]) -> tuple[Role, ...]:
    """The roles of these names, or all that are at work, each after those that it needs or that stand behind it.

    Raises NotFound for a role there is not, and for one that was named and is not at work.
    """
    roles = [load_role(name) for name in names or role_names()]
    groups = find_groups(stack)
    working = [role for role in roles if find_working(stack, role, groups)]
    for role in roles:
        if role not in working and (names or not working):
            raise NotFound(f"a live version of {role.name} in stack {stack}", f"`tyrell up {stack}` makes one")
    stages = in_stages(working)
    return tuple(
        role
        for stage in stages
        for role in sorted(stage, key=lambda role: (BEHIND.index(role.traffic.kind), role.name))
    )


def kinds_of(roles: tuple[Role, ...]) -> tuple[ImageKind, ...]:
    """The kinds of machine image that the roles are on."""
    return tuple(dict.fromkeys(role.machine_image for role in roles))


def offer_of(build: Build) -> Offer:
    """A machine image that Packer has baked, as one to release."""
    return Offer(release=build.release, inputs=tagged_inputs(build.tags), ami=build.ami)


def find_planned(stack: str, role: Role, offer: Offer, name: str = "") -> Planned:
    """What the machine image means for a role of the stack that is at work; `name` is what its version is called.

    Half-way between two versions there is something to do as long as one of them is made of something else.
    """
    working = find_working(stack, role)
    changes = {name: _changed(Version(stack=stack, role=role.name, id=name), offer.inputs) for name in working}
    live = max(working, key=lambda name: (bool(changes[name]), working[name]))
    return Planned(
        role=role.name,
        live=live,
        machines=find_group(Version(stack=stack, role=role.name, id=live)).desired,
        version=name or offer.release,
        ami=offer.ami,
        changed=changes[live],
    )


def _changed(version: Version, inputs: Mapping[str, str]) -> tuple[str, ...]:
    made_of = find_made_of(version)
    try:
        tags = find_build(made_of.ami).tags if made_of else {}
    except NotFound:  # the image is gone, its machines are not
        tags = {}
    return concerning(version.role, changed_inputs(inputs, tags))


class Record:
    """What became of each role so far."""

    def __init__(self, rollout: tuple[Planned, ...]) -> None:
        self.results = {
            planned.role: "not begun" if planned.changed else f"{planned.live} is made of the same"
            for planned in rollout
        }

    def begun(self, planned: Planned) -> None:
        """It is this role's turn."""
        self.results[planned.role] = f"failed, {planned.live} serves"

    def ended(self, planned: Planned) -> None:
        """Its new version has taken over."""
        self.results[planned.role] = f"{planned.version} took over from {planned.live}"


@contextmanager
def recording_release(stack: str, rollout: tuple[Planned, ...]) -> Iterator[Record]:
    """A record while the block runs. At its end, whatever that is, it is an artifact of the run; the AMI gets a tag."""
    record = Record(rollout)
    versions = {planned.role: planned.version for planned in rollout if planned.changed}
    complete = False
    tell_event(Event.RELEASE_BEGUN, (stack,), versions=versions)
    try:
        yield record
        complete = True
    finally:
        tell_event(Event.RELEASE_ENDED, (stack,), complete=complete, results=record.results)
        publish_release(stack, rollout, record.results)


@step("record of the release to {stack}", system="artifacts")
def publish_release(stack: str, rollout: tuple[Planned, ...], results: dict[str, str]) -> None:
    """Who released what, when, of which commit, and the result of each role."""
    who, when = me(), datetime.now(UTC).isoformat(timespec="seconds")
    builds = {planned.ami: find_build(planned.ami) for planned in rollout}
    rows = [
        {
            "role": planned.role,
            "result": results[planned.role],
            "version": planned.version,
            "ami": planned.ami,
            "image": builds[planned.ami].images.get(planned.role, ""),
            "commit": builds[planned.ami].commit or find_source(ROOT).commit,
            "who": who,
            "when": when,
        }
        for planned in rollout
    ]
    key = artifact_key(What.RELEASE, stack)
    create_table_artifact(table=rows, key=key, description=f"What was released to {stack}")
    ec2().create_tags(Resources=list(builds), Tags=[{"Key": f"tyrell:released:{stack}", "Value": f"{when} by {who}"}])
