"""What a release would do, as people read it."""

from __future__ import annotations

import logging

from prefect.artifacts import create_markdown_artifact

from tasks.artifact_keys import What, artifact_key
from tasks.release_plans import Bake, ReleasePlan
from tasks.releases import Planned
from tasks.roles import load_role
from tasks.rollouts import Strategy
from tasks.steps import step

logger = logging.getLogger(__name__)


@step("what a release to {stack} would do", system="artifacts")
def publish_release_plan(stack: str, plan: ReleasePlan) -> None:
    """The plan in the run's log, and as a markdown artifact of it."""
    lines = plan_lines(plan)
    for line in lines:
        logger.info(line)
    text = "\n".join(f"- {line}" for line in lines)
    key = artifact_key(What.RELEASE_PLAN, stack)
    create_markdown_artifact(text, key=key, description=f"What a release to {stack} would do")


def plan_lines(plan: ReleasePlan) -> tuple[str, ...]:
    """One line for everything that would be built, baked, replaced and deleted, and why."""
    baking = [line for bake in plan.bakes for line in _baking(bake)]
    replacing = [f"{planned.role:<16} {_replacing(planned)}" for planned in plan.rollout]
    deleting = [f"{due.version.role:<16} then {due.fate} {due.version.id}: {due.why}" for due in plan.deletes]
    return (*baking, *replacing, *deleting)


def _baking(bake: Bake) -> list[str]:
    lines = [
        f"{role:<16} build its Docker image: no image is made of what lies in the checkout" for role in bake.to_build
    ]
    offer, name = bake.offer, f"image {bake.kind}"
    if offer.ami:
        return [*lines, f"{name:<16} nothing to bake: {offer.ami} is made of the same"]
    why = f"{', '.join(bake.changed)} changed" if bake.changed else "it is the first"
    return [*lines, f"{name:<16} bake {'it' if bake.to_build else offer.release}: {why}"]


def _replacing(planned: Planned) -> str:
    if not planned.changed:
        return f"nothing to do: {planned.live} is made of the same"
    rollout = load_role(planned.role).rollout
    steps = " → ".join(f"{percent} %" for percent in rollout.percents)
    how = (
        f"{rollout.strategy} {steps}"
        if rollout.strategy in {Strategy.canary, Strategy.blue_green}
        else rollout.strategy
    )
    return (
        f"create {planned.version or 'a version of it'} beside {planned.live}, switch ({how});"
        f" {planned.machines} machines run twice until {planned.live} has been idle for {rollout.rollback_window};"
        f" changed: {', '.join(planned.changed)}"
    )
