"""`tyrell metrics backup` and `restore`: the data of a metrics stack."""

from __future__ import annotations

from typing import Annotated

import typer

from tyrell.environment import Cloud
from tyrell.options import DEMO, CloudOption, Json, enter
from tyrell.run import sentences

# See versions_cli.py.
# ruff: noqa: PLC0415

NameArgument = Annotated[str, typer.Argument(metavar="NAME", help="The metrics stack.")]
NAME = f"{DEMO}-metrics"


def backup(name: NameArgument = NAME, cloud: CloudOption = Cloud.auto, json: Json = False) -> None:
    """Put a backup of all data into the metrics stack's bucket."""
    with sentences():
        enter(cloud)
        from flows.metrics_backup import back_up_metrics
        from tyrell.show import run_and_show

        run_and_show(f"back up {name}", back_up_metrics, name, facts={"metrics": name}, json=json)


def restore(
    name: NameArgument,
    backup: Annotated[str, typer.Option(help="The key of the backup; default: the newest one.")] = "",
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    cloud: CloudOption = Cloud.auto,
    json: Json = False,
) -> None:
    """Make all data what they were in a backup; what was written since is gone."""
    with sentences():
        enter(cloud)
        from flows.metrics_backup import restore_metrics
        from tasks.monitoring.keeper import find_backup
        from tasks.monitoring.stacks import find_metrics
        from tyrell.show import run_and_show

        find_metrics(name)
        key = find_backup(name, backup)
        if not yes:
            typer.confirm(f"Make the data of {name} what they were in {key}? What came later is lost", abort=True)
        run_and_show(f"restore {name}", restore_metrics, name, key, facts={"metrics": name, "backup": key}, json=json)
