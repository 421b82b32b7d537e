"""`tyrell network`: a network without a stack in it yet, for example to bake the first machine image in."""

from __future__ import annotations

from typing import Annotated

import typer

from tyrell.environment import Cloud
from tyrell.options import DEMO, CloudOption, Json, enter
from tyrell.run import sentences

# See versions_cli.py.
# ruff: noqa: PLC0415


def add_to(app: typer.Typer) -> None:
    """Make the command part of `tyrell`."""
    app.command()(network)


def network(
    name: Annotated[str, typer.Argument(help="Its name.")] = f"{DEMO}-network",
    cidr: Annotated[str, typer.Option(help="Its addresses, /16 to /24.")] = "",
    cloud: CloudOption = Cloud.auto,
    json: Json = False,
) -> None:
    """Create a network, or bring it up to date; stacks may lie in it later."""
    with sentences():
        place = enter(cloud)
        from flows.network import create_network
        from tyrell.bring_up import wanted
        from tyrell.show import run_and_show

        asked_for, _ = wanted(DEMO, name, cidr, 0, place)
        run_and_show(f"network {name}", create_network, asked_for, facts={"network": name}, json=json)
