"""What of a stack is paid for by the hour, also when its versions have other sizes."""

from __future__ import annotations

from collections.abc import Mapping

from tasks.groups import find_groups
from tasks.model import Noun, Version
from tasks.planning.facts import body_of
from tasks.planning.plan import Items, added
from tasks.planning.templates import DISK, items_of
from tasks.roles import load_role
from tasks.stacks import find_stack, find_tagged


class Inventory(Noun):
    """A stack at one moment."""

    fixed: Items
    """Its network and its base."""
    sizes: dict[Version, int]
    """Machines that the groups of its versions want."""
    types: dict[Version, str]
    """The instance types of versions that are there; a new one is of its role's."""

    def size(self, version: Version) -> int:
        """How many machines the version's group wants; none without a group."""
        return self.sizes.get(version, 0)

    @property
    def lasting(self) -> dict[Version, int]:
        """The sizes without those of workers: how many these are is their queue's doing."""
        return {each: size for each, size in self.sizes.items() if load_role(each.role).traffic.kind != "queue"}

    def items(self, sizes: Mapping[Version, int] | None = None) -> Items:
        """All of it when these versions have these sizes instead of theirs."""
        machines = {**self.sizes, **(sizes or {})}
        return added(self.fixed, *(self._machines(version, size) for version, size in machines.items()))

    def _machines(self, version: Version, size: int) -> Items:
        role = load_role(version.role)
        return added({self.types.get(version) or role.instance_type: size}, {DISK: size * role.volume_gib})


def find_inventory(stack: str) -> Inventory:
    """That of the stack; nothing for a stack that is not there."""
    base = find_stack(stack)
    network = find_stack(base.tags["tyrell:network"]) if base else None
    made = find_tagged({"tyrell:kind": "version", "tyrell:stack": stack})
    return Inventory(
        fixed=added(*(items_of(body_of(each)) for each in (base, network) if each)),
        sizes={group.version: group.desired for group in find_groups(stack)},
        types={
            Version(stack=stack, role=each.tags["tyrell:role"], id=each.tags["tyrell:version"]): each.parameters.get(
                "InstanceType", ""
            )
            for each in made
        },
    )
