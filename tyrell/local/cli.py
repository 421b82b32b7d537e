"""`tyrell local`: the embedded cloud."""

from __future__ import annotations

from typing import Annotated

import typer

from tasks.errors import UsageError
from tyrell.environment import LOCAL_BALANCER_PORT
from tyrell.run import out, print_json, sentences

# boto3 is imported inside the commands, so that `tyrell --help` answers at once.
# ruff: noqa: PLC0415

app = typer.Typer(help="The embedded cloud: AWS on this machine, with real processes.", no_args_is_help=True)


@app.command()
def up(
    port: Annotated[int, typer.Option(min=1, max=65535, help="The port of the AWS API.")] = 15100,
    network: Annotated[str, typer.Option(help="The part of 127.0.0.0/8 that networks are cut from.")] = "127.20.0.0/16",
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

        settings = Settings.model_validate({"home": default_home(), "port": port, "network": network})
        wanted = prefect_port or (free_port(4200) if prefect else 0)
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
def bake() -> None:
    """Make a machine image of the Link services as they lie in the repository now."""
    with sentences():
        from tyrell.local.inventory import running
        from tyrell.local.link_image import bake_link_image

        out.print(bake_link_image(running().settings))
