"""`tyrell metrics`: metrics stacks, and the stacks that write to them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from tyrell.environment import Cloud, Surroundings
from tyrell.metrics_backup_cli import NAME, NameArgument, backup, restore
from tyrell.options import CloudOption, Json, StackArgument, checked_stack, enter
from tyrell.report_cli import report
from tyrell.run import notes, out, print_json, sentences

if TYPE_CHECKING:
    from tasks.model import Metrics

# See versions_cli.py.
# ruff: noqa: PLC0415

app = typer.Typer(help="Metrics: what all machines tell, the tenants' usage, pictures of both.", no_args_is_help=True)

INSTEAD = {
    "grafana": "; `tyrell metrics report STACK` draws the same panels",
    "loki": "; on the embedded cloud `tyrell local logs INSTANCE` prints what a machine has said",
}
"""Who helps when a service is not in the machine image."""

for command in (report, backup, restore):
    app.command()(command)


@app.command()
def up(
    name: NameArgument = NAME,
    network: Annotated[str, typer.Option(help="The network to lie in; default: the one it has.")] = "",
    disk: Annotated[int, typer.Option(help="GiB of the volume with the data, when it is made.")] = 0,
    keep_days: Annotated[int, typer.Option(help="How long metrics are kept; default: 90. Usage stays.")] = 0,
    open_to: Annotated[
        list[str] | None, typer.Option(help="A network of people who may look, as CIDR; may be repeated.")
    ] = None,
    zone: Annotated[str, typer.Option(help="The hosted zone in which it gets the name NAME.ZONE.")] = "",
    ami: Annotated[str, typer.Option(help="Its machine image; default: the newest of kind metrics.")] = "",
    cloud: CloudOption = Cloud.auto,
    json: Json = False,
) -> None:
    """Make a metrics stack, or bring it up to date."""
    with sentences():
        place = enter(cloud)
        from flows.metrics_setup import set_up_metrics
        from tyrell.show import run_and_show

        said = {"network": network, "disk_gib": disk, "keep_days": keep_days, "open_to": open_to, "zone": zone}
        wanted = _wanted(name, {field: value for field, value in said.items() if value})
        if not ami:
            _offer_image(place)
        facts = {"metrics": name}
        undo = f"tyrell metrics down {name}"
        run_and_show(f"metrics {name}", set_up_metrics, wanted, ami, facts=facts, undo=undo, json=json)
        if not json:
            _show_skipped(name)


def _wanted(name: str, said: dict[str, object]) -> Metrics:
    """The metrics stack a person asks for; what he does not say stays as it is. Raises UsageError, ValidationError."""
    from tasks.errors import UsageError
    from tasks.model import Metrics
    from tasks.monitoring.stacks import find_chosen
    from tasks.stacks import check_ours

    fields = {"name": name, **find_chosen(check_ours(name, "metrics")), **said}
    if "network" not in fields:
        raise UsageError(f"metrics stack {name} is not there yet: say where it is to lie with --network")
    return Metrics.model_validate(fields)


def _offer_image(place: Surroundings) -> None:
    """On machines of processes the image is what lies in the repository, with Debian's InfluxDB."""
    if not place.one_machine:
        return
    from tyrell.local.inventory import running

    settings = running().settings
    if settings.machines == "processes":
        from tyrell.local.metrics_image import bake_metrics_image

        with notes.status("InfluxDB: fetching Debian's package where it is not there"):
            bake_metrics_image(settings)


def _show_skipped(name: str) -> None:
    from tasks.amis import find_without
    from tasks.monitoring.stacks import find_metrics

    ami = find_metrics(name).parameters["Image"]
    for service in find_without(ami):
        instead = INSTEAD.get(service, "")
        out.print(
            f"[yellow]![/] skipped {service}: not in machine image {ami}{instead}", highlight=False, soft_wrap=True
        )


@app.command()
def attach(
    stack: StackArgument, name: NameArgument = NAME, cloud: CloudOption = Cloud.auto, json: Json = False
) -> None:
    """Have the machines of a stack write their metrics to a metrics stack."""
    with sentences():
        enter(cloud)
        from flows.metrics_attach import attach_metrics
        from tyrell.show import run_and_show

        facts = {"stack": stack, "metrics": name}
        run_and_show(f"attach {stack} to {name}", attach_metrics, checked_stack(stack), name, facts=facts, json=json)


@app.command()
def detach(stack: StackArgument, cloud: CloudOption = Cloud.auto, json: Json = False) -> None:
    """Have the machines of a stack write no metrics any more; what they wrote stays."""
    with sentences():
        enter(cloud)
        from flows.metrics_attach import detach_metrics
        from tyrell.show import run_and_show

        run_and_show(f"detach {stack}", detach_metrics, checked_stack(stack), facts={"stack": stack}, json=json)


@app.command()
def assign(
    name: NameArgument,
    zone: Annotated[str, typer.Argument(help="A hosted zone of this account, for example example.com.")],
    cloud: CloudOption = Cloud.auto,
    json: Json = False,
) -> None:
    """Give a metrics stack the name NAME.ZONE."""
    with sentences():
        enter(cloud)
        from flows.metrics_setup import set_up_metrics
        from tasks.monitoring.stacks import find_metrics
        from tyrell.show import run_and_show

        ami = find_metrics(name).parameters["Image"]  # a name is no reason for another machine
        run_and_show(f"name of {name}", set_up_metrics, _wanted(name, {"zone": zone}), ami, facts={}, json=json)


@app.command()
def status(name: NameArgument = NAME, cloud: CloudOption = Cloud.auto, json: Json = False) -> None:
    """Show a metrics stack: where it is, who writes to it, its newest backup. Exit code 1 when it does not serve."""
    with sentences():
        enter(cloud)
        from tasks.monitoring.overview import find_metrics_status

        found = find_metrics_status(name)
        if json:
            print_json(found.model_dump())
        else:
            out.print(f"InfluxDB       {found.url} {found.domain} {found.problem or 'serves'}", highlight=False)
            for stack, age in found.attached.items():
                wrote = "has written nothing for minutes" if age is None else f"wrote {age:.0f} s ago"
                out.print(f"stack {stack:<8} {wrote}", highlight=False)
            out.print(f"newest backup  {found.newest_backup or 'none; `tyrell metrics backup` makes one'}")
        if found.problem:
            raise typer.Exit(1)


@app.command()
def down(
    name: NameArgument,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    delete_data: Annotated[bool, typer.Option("--delete-data", help="Delete volume, backups and secrets too.")] = False,
    yes_delete_data: Annotated[str, typer.Option(metavar="NAME", help="Its name once more: delete the data.")] = "",
    cloud: CloudOption = Cloud.auto,
    json: Json = False,
) -> None:
    """Delete a metrics stack. Its data and backups are kept."""
    with sentences():
        place = enter(cloud)
        from flows.metrics_down import tear_down_metrics
        from tyrell.show import run_and_show

        if not yes:
            typer.confirm(f"Delete metrics stack {name} on {place.name}?", abort=True)
        words = (checked_stack(name), delete_data, yes_delete_data)
        run_and_show(f"tear down {name}", tear_down_metrics, *words, facts={"metrics": name}, json=json)
