"""Baking machine images with Packer: unless there is one of the same bake key, or one on its way."""

from __future__ import annotations

import logging
import shutil
import time
from datetime import timedelta
from typing import Literal

from prefect.artifacts import create_table_artifact

from tasks import packer
from tasks.artifact_keys import What, artifact_key
from tasks.bake_holds import hold_tags, holding_bake
from tasks.bake_leftovers import as_tags, hold_name, staging_folder
from tasks.bake_places import Place
from tasks.bake_plans import Plan
from tasks.builds import Build, delete_build, find_build, find_changes, find_named
from tasks.clients import ec2
from tasks.machine_images import PACKER, stage_contents
from tasks.model import Noun, Patience
from tasks.steps import step
from tasks.waits import NotYet, wait_until

logger = logging.getLogger(__name__)

PATIENCE = Patience(timeout=packer.LONGEST, every=timedelta(seconds=1))


class Baked(Noun):
    """What became of a machine image in a run."""

    build: Build
    outcome: Literal["baked", "unchanged"]
    seconds: float = 0
    changed: tuple[str, ...] = ()
    """Why it was baked: the inputs that are not as in the newest image before it; empty when it is the first."""


@step("find machine image {plan.name}", system="ec2")
def adopt_build(plan: Plan) -> Build | None:
    """The machine image of the same bake key. One that is pending, of a bake that was killed, is waited for.

    Packer tags an image when it is finished, so one whose bake was killed is known by its name only and gets its tags
    here. One that failed is removed, and counts as none.
    """
    build = find_named(plan.name)
    if build is None:
        why = ", ".join(find_changes(plan.kind, plan.inputs))
        logger.info("to bake: %s", f"changed since the newest: {why}" if why else f"the first of kind {plan.kind}")
        return None
    ami = build.ami
    build = wait_until(f"machine image {ami}", lambda: _settled(ami), PATIENCE)
    if build.state != "available":
        logger.warning("machine image %s is %s: removing it", build.ami, build.state)
        delete_build.fn(build)
        return None
    if build.key != plan.key:
        ec2().create_tags(Resources=[build.ami, *build.snapshots], Tags=as_tags(plan.tags))
    logger.info("nothing to bake: %s (%s) has the same inputs", build.ami, plan.name)
    return find_build(build.ami)


@step("bake {plan.name}", system="packer")
def bake(plan: Plan, place: Place) -> Baked:
    """Bake it with Packer. Whatever happens, nothing is left of it but the image.

    Raises TyrellError with Packer's own last errors, or when somebody else bakes the same.
    """
    started, changed = time.monotonic(), find_changes(plan.kind, plan.inputs)
    with holding_bake(plan, place) as group:
        template, contents = (staging_folder(plan.name) / part for part in ("packer", "contents"))
        staging_folder(plan.name).mkdir(mode=0o700)
        shutil.copytree(PACKER, template)
        stage_contents(plan.contents, contents)
        variables = {
            "kind": plan.kind,
            "name": plan.name,
            "tags": plan.tags,
            "contents": str(contents),
            "base": plan.base,
            "region": ec2().meta.region_name,
            "endpoint": "" if _is_aws() else ec2().meta.endpoint_url,
            "subnet": place.subnet,
            "security_group": group,
            "ssh_interface": place.interface,
            "key_pair": hold_name(plan.name),
            "run_tags": hold_tags(plan),
        }
        ami = packer.build(template, variables, plan.packer)
    build = find_build(ami)
    return Baked(build=build, outcome="baked", seconds=time.monotonic() - started, changed=changed)


@step("what became of the machine image", system="artifacts")
def publish_bake(baked: Baked) -> None:
    """A table artifact of the run."""
    row = {"outcome": baked.outcome, "seconds": round(baked.seconds, 1), "changed": ", ".join(baked.changed)}
    create_table_artifact(
        table=[row | baked.build.model_dump(mode="json", exclude={"tags"})],
        key=artifact_key(What.MACHINE_IMAGE, baked.build.kind),
        description="The machine image, as this run left it",
    )


def _settled(ami: str) -> Build | NotYet:
    now = find_build(ami)
    return NotYet("it is pending, from a bake that was killed") if now.state == "pending" else now


def _is_aws() -> bool:
    return "amazonaws.com" in ec2().meta.endpoint_url
