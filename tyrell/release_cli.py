"""`tyrell release`: from the checkout to traffic."""

from __future__ import annotations

from typing import Annotated

import typer

from tyrell.environment import Cloud
from tyrell.options import (
    DEMO,
    CloudOption,
    Force,
    Json,
    Override,
    StackOption,
    VersionName,
    Wait,
    as_time,
    checked_stack,
    enter,
)
from tyrell.run import out, print_json, sentences

# See versions_cli.py.
# ruff: noqa: PLC0415


def add_to(app: typer.Typer) -> None:
    """Make the command part of `tyrell`."""
    app.command()(release)


def release(
    roles: Annotated[
        list[str] | None, typer.Argument(metavar="[ROLE]...", help="Whom to upgrade; default: all that are live.")
    ] = None,
    stack: StackOption = DEMO,
    version: VersionName = "",
    image: Annotated[
        list[str] | None, typer.Option(metavar="ROLE=REF", help="Use this ready-made Docker image; may be repeated.")
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would be done, and why.")] = False,
    pause: Annotated[float | None, typer.Option(min=0, help="Seconds that each step is watched at least.")] = None,
    steady: Annotated[float | None, typer.Option(min=0, help="Seconds of health before any traffic.")] = None,
    window: Annotated[float | None, typer.Option(min=0, help="Seconds that old versions stay up after.")] = None,
    approve: Annotated[bool, typer.Option("--approve", help="Ask a person before all traffic moves.")] = False,
    gate: Annotated[bool, typer.Option(help="Judge each step by its requests.")] = True,
    network: Annotated[str, typer.Option(help="The network to bake in; default: the only one, or the demo's.")] = "",
    require_clean: Annotated[bool, typer.Option("--require-clean", help="Refuse what no commit has.")] = False,
    force: Force = False,
    wait: Wait = 0,
    override_calendar: Override = "",
    cloud: CloudOption = Cloud.auto,
    json: Json = False,
) -> None:
    """Build what has changed, bake it once, and upgrade every role it concerns, one after the other."""
    with sentences():
        from tyrell.builds_cli import parse_images

        stack, images, named = checked_stack(stack), parse_images(image or []), tuple(roles or ())
        enter(cloud)
        if dry_run:
            from tasks.release_plan_lines import plan_lines
            from tasks.release_plans import plan_release

            plan = plan_release(stack, named, version, images)
            if json:
                print_json(plan.model_dump(mode="json"))
            for line in () if json else plan_lines(plan):
                out.print(line, highlight=False, soft_wrap=True)
            return
        from flows.release import release as flow
        from tasks.roles import load_role, role_names
        from tyrell.plans import changed_plan
        from tyrell.show import run_and_show

        plans = {
            role.name: changed_plan(
                role.rollout,
                strategy="",
                steps="",
                pause=pause,
                min_healthy_time=steady,
                rollback_window=window,
                approve=approve,
                gate=gate,
            )
            for role in map(load_role, named or role_names())
        }
        run_and_show(
            f"release to {stack}",
            flow,
            *(stack, named, version, images, plans, network, force, require_clean, as_time(wait), override_calendar),
            facts={"stack": stack},
            json=json,
        )
