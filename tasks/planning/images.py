"""What `build-image`, `bake-ami` and `prune-builds` would do."""

from __future__ import annotations

from tasks.bake_keys import IMAGE, Offer
from tasks.bake_plans import foresee_bake
from tasks.build_retention import find_prunable
from tasks.builds import find_changes, find_orphans
from tasks.images import find_image
from tasks.planning.facts import Facts, digest
from tasks.planning.plan import Draft, Step
from tasks.planning.steps import IN_ITS_TIME
from tasks.recipes import check_committed, find_recipe
from tasks.roles import load_role

OF = "machine-images"


def plan_build_image(
    roles: tuple[str, ...],
    context: str,
    args: dict[str, str] | None,
    image: str,
    registry: str,
    require_clean: bool,
) -> Draft:
    """The Docker images of roles."""
    if require_clean:
        check_committed(context)
    steps, facts = [], {}
    for role in roles:
        if given := image or load_role(role).image:
            steps.append(Step(what=f"use {given} for {role}", most=IN_ITS_TIME))
        else:
            recipe = find_recipe(role, context, args)
            facts[f"what the image of {role} is made of"] = recipe.inputs[:12]
            if find_image(recipe) is None:
                steps.append(Step(what=f"build the image of {role}: none is made of the same", most=IN_ITS_TIME))
        if registry:
            steps.append(Step(what=f"push the image of {role} to {registry}", most=IN_ITS_TIME))
    return Draft(of="images", facts=facts, steps=tuple(steps))


def plan_bake(kind: str, images: dict[str, str] | None, base: str, without: tuple[str, ...]) -> Draft:
    """The machine image of a kind."""
    offer = foresee_bake(kind, images or {}, base, without)
    return Draft(of=OF, facts=offer_facts(kind, offer), steps=bake_steps(kind, offer))


def bake_steps(kind: str, offer: Offer) -> tuple[Step, ...]:
    """What is to be built and baked, and why; nothing where there is a machine image of the same."""
    if offer.ami:
        return ()
    missing = [name.removeprefix(IMAGE) for name, key in offer.inputs.items() if not key]
    changed = ", ".join(find_changes(kind, offer.inputs))
    builds = tuple(
        Step(what=f"build the image of {role}: none is made of the same", most=IN_ITS_TIME) for role in missing
    )
    why = f"{changed} changed" if changed else "it is the first"
    return (*builds, Step(what=f"bake machine image {kind} {offer.release}: {why}", most=IN_ITS_TIME))


def offer_facts(kind: str, offer: Offer) -> Facts:
    """What the machine image would be made of."""
    inputs = "".join(f"{name}={key};" for name, key in sorted(offer.inputs.items()))
    return {
        f"what machine image {kind} is made of": digest(inputs),
        f"machine image {kind}": offer.ami or "to be baked",
    }


def plan_prune_builds() -> Draft:
    """Machine images that no version is made of go."""
    builds, snapshots = find_prunable(), find_orphans()
    steps = [Step(what=f"delete machine image {build.ami} ({build.name}) and its snapshots") for build in builds]
    steps += [Step(what=f"delete snapshot {snapshot}, whose machine image is gone") for snapshot in snapshots]
    return Draft(of=OF, facts={"machine images that may go": str(len(builds))}, steps=tuple(steps))
