"""`tyrell deploy, upgrade, rollback, switch, scale, retire, prune`: the commands that change versions of a role."""

from __future__ import annotations

from typing import Annotated

import typer

from tyrell import looking_cli
from tyrell.environment import Cloud
from tyrell.options import (
    DEMO,
    Ami,
    CloudOption,
    Force,
    Json,
    Override,
    RoleArgument,
    StackOption,
    VersionName,
    Wait,
    as_time,
    checked_stack,
    checked_version,
    enter,
)
from tyrell.planning import is_planned
from tyrell.run import sentences

# Flows, Prefect and boto3 are imported inside the commands: `tyrell --help` has to answer at once, and they read the
# environment that `enter` sets.
# ruff: noqa: PLC0415


def add_to(app: typer.Typer) -> None:
    """Make the commands part of `tyrell`."""
    for command in (deploy, upgrade, rollback, switch, scale, retire, prune):
        app.command()(command)
    looking_cli.add_to(app)


def deploy(
    role: RoleArgument,
    stack: StackOption = DEMO,
    ami: Ami = "",
    version: VersionName = "",
    size: Annotated[int | None, typer.Option(help="Machines; default: the role's.")] = None,
    wait: Wait = 0,
    cloud: CloudOption = Cloud.auto,
    json: Json = False,
) -> None:
    """Create a version beside the live one and wait until it is healthy. Moves no traffic."""
    with sentences():
        enter(cloud)
        from flows.deploy import deploy as flow
        from tasks.amis import find_release
        from tasks.roles import load_role
        from tyrell.show import run_and_show

        kind = load_role(role)
        if size is not None:
            kind.check_size(size)
        release = find_release(ami, version, kind.machine_image)
        wanted = checked_version(stack, role, release.id)
        undo = f"tyrell retire {role} {release.id} --stack {stack}"
        title, facts = f"deploy {role} {release.id}", wanted.model_dump()
        words = (stack, role, release.ami, release.id, size, as_time(wait))
        run_and_show(title, flow, *words, facts=facts, undo=undo, json=json)


def upgrade(
    role: RoleArgument,
    to: Annotated[str, typer.Option(help="A release, a version that is there, or ami-...; default: the newest.")] = "",
    stack: StackOption = DEMO,
    version: VersionName = "",
    strategy: Annotated[str, typer.Option(help="canary, blue-green, rolling or recreate; default: the role's.")] = "",
    steps: Annotated[str, typer.Option(help="Percentages of a canary, as 5,50,100; default: the role's.")] = "",
    pause: Annotated[float | None, typer.Option(min=0, help="Seconds that each step is watched at least.")] = None,
    steady: Annotated[float | None, typer.Option(min=0, help="Seconds of health before any traffic.")] = None,
    window: Annotated[float | None, typer.Option(min=0, help="Seconds that the old version stays up after.")] = None,
    approve: Annotated[bool, typer.Option("--approve", help="Ask a person before all traffic moves.")] = False,
    gate: Annotated[bool, typer.Option(help="Judge each step by its requests.")] = True,
    force: Force = False,
    wait: Wait = 0,
    override_calendar: Override = "",
    cloud: CloudOption = Cloud.auto,
    json: Json = False,
) -> None:
    """Replace the live version of a role without a failed request; on any failure it goes back by itself."""
    with sentences():
        enter(cloud)
        from flows.upgrade import upgrade as flow
        from tasks.roles import load_role
        from tasks.upgrades import check_plan
        from tasks.versions import find_candidate
        from tyrell.plans import changed_plan
        from tyrell.show import run_and_show

        kind = load_role(role)
        plan = changed_plan(
            kind.rollout,
            strategy=strategy,
            steps=steps,
            pause=pause,
            min_healthy_time=steady,
            rollback_window=window,
            approve=approve,
            gate=gate,
        )
        check_plan(kind, plan)
        wanted, _ = find_candidate(checked_stack(stack), kind, to, version)
        run_and_show(
            f"upgrade {role} to {wanted.id}",
            flow,
            *(stack, role, to, version, plan, force, as_time(wait), override_calendar),
            facts=wanted.model_dump(),
            json=json,
        )


def rollback(
    role: RoleArgument,
    version: Annotated[str, typer.Argument(help="The version to go back to; default: the last known good.")] = "",
    reason: Annotated[str, typer.Option(help="Why, for those who want to know later.")] = "",
    stack: StackOption = DEMO,
    force: Force = False,
    wait: Wait = 0,
    cloud: CloudOption = Cloud.auto,
    json: Json = False,
) -> None:
    """Give all traffic back to an earlier version, in one write; the one it leaves is marked bad."""
    with sentences():
        enter(cloud)
        from flows.rollback import rollback as flow
        from tasks.roles import load_role
        from tyrell.show import run_and_show

        load_role(role)
        name = checked_version(stack, role, version).id if version else ""
        facts = {"stack": checked_stack(stack), "role": role}
        run_and_show(f"roll {role} back", flow, stack, role, name, reason, force, as_time(wait), facts=facts, json=json)


def switch(
    role: RoleArgument,
    versions: Annotated[list[str], typer.Argument(help="VERSION, or two as VERSION=PERCENT.")],
    stack: StackOption = DEMO,
    wait: Wait = 0,
    override_calendar: Override = "",
    cloud: CloudOption = Cloud.auto,
    json: Json = False,
) -> None:
    """Move traffic of a role, by hand and at once, to versions that are deployed and healthy."""
    with sentences():
        enter(cloud)
        from flows.switch import switch as flow
        from tyrell.plans import parse_weights
        from tyrell.show import run_and_show

        (name, percent), *others = parse_weights(versions).items()
        wanted = checked_version(stack, role, name)
        rest = checked_version(stack, role, others[0][0]).id if others else ""
        title, facts = f"switch {role} to {' '.join(versions)}", wanted.model_dump()
        words = (stack, role, name, percent, rest, as_time(wait), override_calendar)
        run_and_show(title, flow, *words, facts=facts, json=json)


def scale(
    role: RoleArgument,
    size: Annotated[int, typer.Argument(help="How many machines the live version is to have.")],
    stack: StackOption = DEMO,
    wait: Wait = 0,
    override_calendar: Override = "",
    cloud: CloudOption = Cloud.auto,
    json: Json = False,
) -> None:
    """Give the live version more machines, or fewer; those that leave are drained first."""
    with sentences():
        enter(cloud)
        from flows.scale import scale as flow
        from tasks.roles import load_role
        from tyrell.show import run_and_show

        load_role(role).check_size(size)
        facts = {"stack": checked_stack(stack), "role": role}
        words = (stack, role, size, as_time(wait), override_calendar)
        run_and_show(f"scale {role} to {size}", flow, *words, facts=facts, json=json)


def retire(
    role: RoleArgument,
    version: Annotated[str, typer.Argument(help="The version; it must not have traffic.")],
    stack: StackOption = DEMO,
    force: Force = False,
    wait: Wait = 0,
    override_calendar: Override = "",
    cloud: CloudOption = Cloud.auto,
    json: Json = False,
) -> None:
    """Delete a version that serves nobody."""
    with sentences():
        enter(cloud)
        from flows.retire import retire as flow
        from tyrell.show import run_and_show

        idle = checked_version(stack, role, version)
        facts = idle.model_dump()
        words = (stack, role, version, force, as_time(wait), override_calendar)
        run_and_show(f"retire {role} {version}", flow, *words, facts=facts, json=json)


def prune(
    role: Annotated[str, typer.Argument(help="Only this role.")] = "",
    stack: StackOption = DEMO,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do it; without this it is only shown.")] = False,
    wait: Wait = 0,
    cloud: CloudOption = Cloud.auto,
    json: Json = False,
) -> None:
    """Show what is due for idle versions whose time is over, or, with --yes, do it."""
    with sentences():
        enter(cloud)
        from flows.prune import prune as flow
        from tasks.roles import load_role, role_names
        from tyrell.show import run_and_show, show_due

        roles = (load_role(role).name,) if role else role_names()
        facts = {"stack": checked_stack(stack)}
        if yes or is_planned():
            run_and_show(f"prune {stack}", flow, stack, roles, as_time(wait), facts=facts, json=json)
        else:
            show_due(stack, roles, json=json)
