"""`tyrell stack`: what of a stack outlives releases; `tyrell sweep`: what of it nobody will finish."""

from __future__ import annotations

from typing import Annotated

import typer

from tyrell.environment import Cloud
from tyrell.options import DEMO, CloudOption, Json, StackArgument, Wait, as_time, checked_stack, enter
from tyrell.run import print_json, run_flow, sentences

# See versions_cli.py.
# ruff: noqa: PLC0415

stack = typer.Typer(help="What of a stack outlives releases.", no_args_is_help=True)


def add_to(app: typer.Typer) -> None:
    """Make the commands part of `tyrell`."""
    app.add_typer(stack, name="stack")
    app.command()(sweep)


@stack.callback()
def group() -> None:
    """What of a stack outlives releases."""


@stack.command()
def update(
    name: StackArgument = DEMO,
    port: Annotated[int | None, typer.Option(help="Another port for the load balancers.")] = None,
    allow_replace: Annotated[
        list[str] | None,
        typer.Option(metavar="LOGICAL_ID", help="This may be replaced or removed; may be repeated."),
    ] = None,
    core_services: Annotated[
        bool | None,
        typer.Option(help="Replace core-services, one member at a time; default: when a newer image has others."),
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only show what would be done.")] = False,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    wait: Wait = 0,
    cloud: CloudOption = Cloud.auto,
    json: Json = False,
) -> None:
    """Bring network and base up to date, and core-services; shown first, and nothing goes that was not named."""
    with sentences():
        enter(cloud)
        from flows.update_stack import update_stack
        from tasks.change_sets import check_keeps
        from tasks.updates import INSTEAD
        from tyrell.show import show_changes
        from tyrell.show_update import show_update

        named, title = tuple(allow_replace or ()), f"update stack {name}"
        asked_for = (checked_stack(name), port, named, core_services)
        planned = run_flow(f"{title}: what it would do", update_stack, *asked_for, False, None, None, quiet=json)
        if not json:
            show_update(planned, named)
        check_keeps(planned.changes, named, INSTEAD)
        if not dry_run and planned.needed:
            if not yes:
                typer.confirm("Do it?", abort=True, err=True)
            planned = run_flow(title, update_stack, *asked_for, True, planned, as_time(wait), quiet=json)
            if not json:
                show_changes(planned.done)
        if json:
            print_json(planned.model_dump(mode="json"))


def sweep(
    name: StackArgument = DEMO,
    after: Annotated[
        float, typer.Option(min=0, help="Minutes after which a run that holds no lock counts as dead.")
    ] = 60,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do it; without this it is only shown.")] = False,
    wait: Wait = 0,
    cloud: CloudOption = Cloud.auto,
    json: Json = False,
) -> None:
    """Show the versions that runs which died have left behind, or, with --yes, delete them."""
    with sentences():
        enter(cloud)
        from datetime import timedelta

        from flows.sweep import sweep as flow
        from tyrell.show import run_and_show
        from tyrell.show_orphans import show_orphans

        facts, time = {"stack": checked_stack(name)}, timedelta(minutes=after)
        if yes:
            run_and_show(f"sweep {name}", flow, name, time, as_time(wait), facts=facts, json=json)
        else:
            show_orphans(name, time, json=json)
