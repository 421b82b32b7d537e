"""`tyrell bake, builds`: machine images."""

from __future__ import annotations

from ipaddress import IPv4Address
from typing import Annotated

import typer

from tyrell.environment import Cloud
from tyrell.options import CloudOption, Json, enter
from tyrell.planning import is_planned
from tyrell.run import print_json, run_flow, sentences

# See versions_cli.py.
# ruff: noqa: PLC0415

builds = typer.Typer(help="Show the machine images that were baked, or delete those that nobody needs.")


def add_to(app: typer.Typer) -> None:
    """Make the commands part of `tyrell`."""
    app.command()(bake)
    app.add_typer(builds, name="builds")


def bake(
    kind: Annotated[str, typer.Option(help="link, worker, metrics or flows.")] = "link",
    image: Annotated[
        list[str] | None, typer.Option(metavar="ROLE=REF", help="Use this ready-made Docker image; may be repeated.")
    ] = None,
    base: Annotated[str, typer.Option(help="The machine image to begin with; default: the newest Debian 12.")] = "",
    network: Annotated[str, typer.Option(help="The network to bake in; default: the only one, or the demo's.")] = "",
    ssh_from: Annotated[
        str, typer.Option(metavar="ADDRESS", help="Who may reach the instance meanwhile; default: this machine.")
    ] = "",
    without: Annotated[
        list[str] | None, typer.Option(metavar="SERVICE", help="Leave out what cannot be pulled; may be repeated.")
    ] = None,
    cloud: CloudOption = Cloud.auto,
    json: Json = False,
) -> None:
    """Bake a machine image with Packer; where nothing has changed, nothing is baked."""
    with sentences():
        images, address = parse_images(image or []), parse_address(ssh_from)
        left_out = tuple(without or ())
        enter(cloud)
        from flows.bake_ami import bake_ami
        from tyrell.show_builds import show_bake

        baked = run_flow(f"bake {kind}", bake_ami, kind, images, base, network, address, left_out, quiet=json)
        if json:
            print_json(baked.model_dump())
        else:
            show_bake(baked)


@builds.callback(invoke_without_command=True)
def list_builds(
    context: typer.Context,
    kind: Annotated[str, typer.Option(help="link, worker, metrics or flows; default: all.")] = "",
    cloud: CloudOption = Cloud.auto,
    json: Json = False,
) -> None:
    """Show the machine images that were baked, the newest first, and which versions are made of them."""
    if context.invoked_subcommand:
        return
    with sentences():
        enter(cloud)
        from tasks.builds import find_builds, find_users
        from tasks.machine_images import check_kind
        from tyrell.show_builds import show_builds

        if kind:
            check_kind(kind)
        found, users = find_builds(kind), find_users()
        if json:
            print_json([build.model_dump() | {"used_by": users.get(build.ami, ())} for build in found])
        else:
            show_builds(found, users)


@builds.command()
def prune(
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do it; without it only say what would be done.")] = False,
    cloud: CloudOption = Cloud.auto,
    json: Json = False,
) -> None:
    """Delete machine images, with their snapshots, that no version is made of; the newest of each kind stays."""
    with sentences():
        enter(cloud)
        if yes or is_planned():
            from flows.prune_builds import prune_builds
            from tyrell.show import run_and_show

            run_and_show("prune machine images", prune_builds, facts={}, json=json)
            return
        from tasks.build_retention import find_prunable
        from tasks.builds import find_orphans
        from tyrell.show_builds import show_prunable

        show_prunable(find_prunable(), find_orphans(), json=json)


def parse_images(given: list[str]) -> dict[str, str]:
    """`ROLE=REF` words as a mapping. Raises UsageError."""
    from tasks.errors import UsageError

    for word in given:
        role, _, reference = word.partition("=")
        if not role or not reference:
            raise UsageError(f"--image {word} cannot be read: write it as ROLE=REF")
    return dict(word.split("=", 1) for word in given)


def parse_address(text: str) -> IPv4Address | None:
    """An IPv4 address, None for none. Raises UsageError."""
    from tasks.errors import UsageError

    try:
        return IPv4Address(text) if text else None
    except ValueError:
        raise UsageError(f"--ssh-from {text} cannot be used: write one IPv4 address, as 192.0.2.7") from None
