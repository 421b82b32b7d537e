"""`tyrell local`: the embedded cloud."""

from __future__ import annotations

from typing import Annotated, Literal

import typer

from tasks.errors import UsageError
from tyrell.environment import LOCAL_BALANCER_PORT
from tyrell.local.faults.cli import app as faults
from tyrell.run import notes, out, print_json, sentences

# boto3 is imported inside the commands, so that `tyrell --help` answers at once.
# ruff: noqa: PLC0415

app = typer.Typer(help="The embedded cloud: AWS on this machine, with real processes.", no_args_is_help=True)
app.add_typer(faults, name="fault")


@app.command()
def up(
    port: Annotated[int, typer.Option(min=1, max=65535, help="The port of the AWS API.")] = 15100,
    machines: Annotated[
        Literal["processes", "docker"],
        typer.Option(help="What an instance is: processes of this machine, or a Docker container."),
    ] = "processes",
    network: Annotated[
        str | None,
        typer.Option(help="What VPCs are cut from: a part of 127.0.0.0/8, for containers a private network."),
    ] = None,
    prefect: Annotated[bool, typer.Option(help="Also start a Prefect server.")] = True,
    prefect_port: Annotated[
        int, typer.Option(min=0, max=65535, help="The Prefect server's port; default: 4200, or a free one.")
    ] = 0,
) -> None:
    """Start the embedded cloud in the background."""
    with sentences():
        from tyrell.local.control import free_port
        from tyrell.local.control import up as start
        from tyrell.local.settings import Settings
        from tyrell.local.state import default_home

        wishes = {"home": default_home(), "port": port, "machines": machines}
        settings = Settings.model_validate(wishes | ({"network": network} if network else {}))
        wanted = prefect_port or (free_port(4200) if prefect else 0)
        building = " and, the first time, building its base image: minutes" if machines == "docker" else ""
        with notes.status(f"starting the embedded cloud{building}"):
            state = start(settings, prefect_port=wanted, balancer_port=LOCAL_BALANCER_PORT)
        if state.settings != settings:
            raise UsageError(
                f"an embedded cloud is up already, at {state.settings.endpoint}; `tyrell local down` first"
            )
        out.print(f"AWS API     {state.settings.endpoint}", highlight=False)
        if state.prefect_port:
            out.print(f"Prefect UI  {state.prefect_url}", highlight=False)
        for name, value in state.environment.items():
            out.print(f"export {name}={value}", highlight=False)


@app.command()
def down() -> None:
    """Stop the embedded cloud and everything that runs on it."""
    with sentences():
        from tyrell.local.control import down as stop
        from tyrell.local.state import default_home

        out.print("stopped" if stop(default_home()) else "the embedded cloud was not up")


@app.command()
def status(json: Annotated[bool, typer.Option("--json", help="Print JSON for machines.")] = False) -> None:
    """Show the instances of the embedded cloud and its load balancers."""
    with sentences():
        from tyrell.local.inventory import find_inventory, show_inventory

        inventory = find_inventory()
        if json:
            print_json(inventory.model_dump())
        else:
            show_inventory(inventory)


@app.command()
def logs(instance: Annotated[str, typer.Argument(help="The instance's id, i-...")]) -> None:
    """Print what the processes of an instance have said."""
    with sentences():
        from tyrell.local.inventory import find_console

        typer.echo(find_console(instance))


@app.command()
def bake(
    kind: Annotated[str, typer.Argument(help="The kind of machine image.")] = "link",
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would be made.")] = False,
    json: Annotated[bool, typer.Option("--json", help="Print JSON for machines.")] = False,
) -> None:
    """Make a machine image of what lies in the repository now."""
    with sentences():
        from tyrell.local import flows_image, link_image, metrics_image
        from tyrell.local.inventory import running

        settings = running().settings
        if settings.machines != "processes":
            raise UsageError("the machines of this cloud are containers, which boot only what Packer has baked")
        kinds = {
            link_image.KIND: (link_image.find_link_image, link_image.bake_link_image),
            metrics_image.KIND: (metrics_image.find_metrics_image, metrics_image.bake_metrics_image),
            flows_image.KIND: (flows_image.find_flows_image, flows_image.bake_flows_image),
        }
        if kind not in kinds:
            raise UsageError(f"machines of processes are made of images of kind {', '.join(kinds)}, not of {kind}")
        find, make = kinds[kind]
        offer = find(settings) if dry_run else make(settings)
        if json:
            print_json(offer.model_dump())
        else:
            out.print(offer.ami or f"release {offer.release}, which is not baked")
