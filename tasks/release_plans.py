"""What a release would do, as far as it can be told without doing anything."""

from __future__ import annotations

from collections.abc import Mapping

from tasks.bake_keys import IMAGE, Offer
from tasks.bake_plans import foresee_bake
from tasks.bakeries import find_offer, own_bakery
from tasks.builds import find_changes
from tasks.model import Noun, RoleName
from tasks.releases import Planned, find_planned, find_released, kinds_of
from tasks.retention import Due
from tasks.retiring import find_retirable
from tasks.roles import load_role


class Bake(Noun):
    """A machine image of a release."""

    kind: str
    offer: Offer
    changed: tuple[str, ...]
    """Why it is to be baked: the inputs that are not as in the newest one; empty when there is none yet."""

    @property
    def to_build(self) -> tuple[RoleName, ...]:
        """The roles whose Docker image is to be built."""
        return tuple(name.removeprefix(IMAGE) for name, key in self.offer.inputs.items() if not key)


class ReleasePlan(Noun):
    """All of it."""

    bakes: tuple[Bake, ...]
    rollout: tuple[Planned, ...]
    deletes: tuple[Due, ...]
    """What is due for idle versions anyway when the upgrades are done."""


def plan_release(stack: str, names: tuple[str, ...], version: str, images: Mapping[str, str]) -> ReleasePlan:
    """What `release` would do with the same arguments. Raises what it would raise before it changes anything."""
    released = find_released(stack, names)
    bakes = {kind: _bake(kind, images) for kind in kinds_of(released)}
    rollout = tuple(find_planned(stack, role, bakes[role.machine_image].offer, version) for role in released)
    upgraded = [load_role(planned.role) for planned in rollout if planned.changed]
    deletes = tuple(due for role in upgraded for due in find_retirable(stack, role))
    return ReleasePlan(bakes=tuple(bakes.values()), rollout=rollout, deletes=deletes)


def _bake(kind: str, images: Mapping[str, str]) -> Bake:
    offer = find_offer(kind, images) if own_bakery() else foresee_bake(kind, images)
    return Bake(kind=kind, offer=offer, changed=() if offer.ami else find_changes(kind, offer.inputs))
