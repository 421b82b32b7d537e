"""The `tyrell` command."""

from __future__ import annotations

import atexit
import gc
import os
import signal
from typing import Annotated

import typer

from tyrell import (
    builds_cli,
    calendar_cli,
    ci_cli,
    data_cli,
    deployments_cli,
    images_cli,
    metrics_cli,
    network_cli,
    plan_cli,
    release_cli,
    stack_cli,
    versions_cli,
    workers_cli,
)
from tyrell.environment import Cloud
from tyrell.local.cli import app as local_app
from tyrell.options import DEMO, Ami, CloudOption, Json, Override, StackArgument, VersionName, checked_stack, enter
from tyrell.planning import is_planned
from tyrell.run import confirmed, print_json, sentences
from tyrell.signals import listen

# Flows, Prefect and boto3 are imported inside the commands: `tyrell --help` has to answer at once, and they read the
# environment that `enter` sets.
# ruff: noqa: PLC0415

LARGE_ENOUGH = 100_000
"""New objects before Python looks for garbage."""

app = typer.Typer(
    help="Put a Zetta Link cloud on AWS, or on the embedded cloud, and keep it healthy.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
app.add_typer(local_app, name="local")
app.add_typer(workers_cli.app, name="workers")
app.add_typer(metrics_cli.app, name="metrics")
app.add_typer(deployments_cli.app, name="deployments")
app.add_typer(calendar_cli.app, name="calendar")
versions_cli.add_to(app)
images_cli.add_to(app)
builds_cli.add_to(app)
network_cli.add_to(app)
release_cli.add_to(app)
data_cli.add_to(app)
stack_cli.add_to(app)
plan_cli.add_to(app)
ci_cli.add_to(app)


@app.command()
def up(
    stack: StackArgument = DEMO,
    network: Annotated[str, typer.Option(help="The network to lie in; default: <stack>-network.")] = "",
    cidr: Annotated[str, typer.Option(help="The network's addresses, /16 to /24.")] = "",
    port: Annotated[int, typer.Option(help="The port of the load balancers; default: 80, 8080 when embedded.")] = 0,
    registry_api: Annotated[
        str, typer.Option(help="etcd's API for the service registry: v2 for the original Link components; default: v3.")
    ] = "",
    device_data_bucket: Annotated[
        str, typer.Option(help="An existing bucket for device data; default: one of the stack's own.")
    ] = "",
    usage_bucket: Annotated[str, typer.Option(help="An existing bucket for usage; default: one of its own.")] = "",
    ami: Ami = "",
    version: VersionName = "",
    size: Annotated[list[str] | None, typer.Option(help="Machines of a role, as ROLE=N; may be repeated.")] = None,
    metrics: Annotated[str, typer.Option(help="The metrics stack to attach it to; default: as it is.")] = "",
    metrics_optional: Annotated[
        bool, typer.Option("--metrics-optional", help="Go on without metrics when these cannot be had.")
    ] = False,
    override_calendar: Override = "",
    cloud: CloudOption = Cloud.auto,
    json: Json = False,
) -> None:
    """Bring up a whole stack; what is there already is left as it is."""
    with sentences():
        place = enter(cloud)
        from tyrell.bring_up import bring_up_and_show, parse_sizes, wanted

        bring_up_and_show(
            *wanted(stack, network, cidr, port, place, registry_api, device_data_bucket, usage_bucket),
            ami=ami,
            version=version,
            sizes=parse_sizes(size or []),
            metrics=(metrics, metrics_optional),
            override_calendar=override_calendar,
            place=place,
            json=json,
        )


@app.command()
def status(stack: StackArgument = DEMO, cloud: CloudOption = Cloud.auto, json: Json = False) -> None:
    """Show every version of the stack, its health and traffic. Exit code 1 when something is not healthy."""
    with sentences():
        enter(cloud)
        from tasks.overview import find_overview
        from tyrell.show import show_overview

        overview = find_overview(checked_stack(stack))
        if json:
            print_json(overview.model_dump())
        else:
            show_overview(overview)
        if not all(row.whole for row in overview.rows):
            raise typer.Exit(1)


@app.command()
def down(
    stack: StackArgument = DEMO,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    delete_data: Annotated[bool, typer.Option("--delete-data", help="Delete the stack's own buckets as well.")] = False,
    yes_delete_data: Annotated[
        str, typer.Option(metavar="STACK", help="The stack once more: delete its buckets with the data in them.")
    ] = "",
    override_calendar: Override = "",
    cloud: CloudOption = Cloud.auto,
    json: Json = False,
) -> None:
    """Delete the stack and, when no other stack lies in it, its network. Its buckets are kept."""
    with sentences():
        place = enter(cloud)
        from flows.tear_down import tear_down
        from tyrell.data_cli import told_twice
        from tyrell.show import run_and_show

        confirmed(f"Delete stack {stack} on {place.name}?", yes=yes)
        ask = not yes and not is_planned()
        yes_delete_data = told_twice(stack, yes_delete_data, delete_data=delete_data, ask=ask)
        run_and_show(
            f"tear down {stack}",
            tear_down,
            checked_stack(stack),
            delete_data,
            yes_delete_data,
            override_calendar,
            facts={"stack": stack},
            json=json,
        )


@app.command()
def demo(
    detach: Annotated[bool, typer.Option("--detach", help="Leave it running; `tyrell local down` stops it.")] = False,
) -> None:
    """Start the embedded cloud and bring up a whole stack on it; Ctrl-C stops everything."""
    with sentences():
        from tyrell.demo import run_demo

        run_demo(DEMO, detach=detach)


def main() -> None:
    """The console script."""
    # What Prefect and boto3 import lives as long as the command: looking through it for garbage is most of a second.
    gc.set_threshold(LARGE_ENOUGH)
    atexit.register(gc.freeze)
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # whoever ends a command is told what Ctrl-C tells
    listen()
    os.environ.setdefault("PREFECT_LOGGING_TO_API_WHEN_MISSING_FLOW", "ignore")
    app()
