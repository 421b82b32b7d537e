"""`tyrell workers status, run-now, pause, resume`: who works off the queues of a stack."""

from __future__ import annotations

from typing import Annotated

import typer

from tyrell.environment import Cloud
from tyrell.options import DEMO, CloudOption, Json, StackOption, Wait, as_time, checked_stack, enter
from tyrell.run import run_flow, sentences

# See versions_cli.py.
# ruff: noqa: PLC0415

app = typer.Typer(help="The data workers: what waits, who works, and when.", no_args_is_help=True)

Roles = Annotated[list[str] | None, typer.Argument(help="Only these roles; default: all that work off a queue.")]


@app.command()
def status(stack: StackOption = DEMO, cloud: CloudOption = Cloud.auto, json: Json = False) -> None:
    """Show each queue, how much waits in it and for how long, and its workers."""
    with sentences():
        enter(cloud)
        from tasks.workers import find_crews, worker_roles
        from tyrell.show_workers import show_crews

        show_crews(find_crews(checked_stack(stack), worker_roles()), json=json)


@app.command()
def run_now(
    roles: Roles = None,
    stack: StackOption = DEMO,
    at_most: Annotated[int | None, typer.Option(min=0, help="Workers of a role; default: what its file says.")] = None,
    watch: Annotated[float, typer.Option(min=0, help="Seconds to watch at most; workers go on without it.")] = 2700,
    wait: Wait = 0,
    cloud: CloudOption = Cloud.auto,
    json: Json = False,
) -> None:
    """Start workers for all that waits, and watch until it is done."""
    with sentences():
        enter(cloud)
        from datetime import timedelta

        from flows.scale_workers import scale_workers
        from tyrell.show_workers import show_crews

        crews = run_flow(
            "work off the queues",
            scale_workers,
            checked_stack(stack),
            tuple(roles or ()),
            True,
            at_most,
            timedelta(seconds=watch),
            False,
            as_time(wait),
            quiet=json,
        )
        show_crews(crews, json=json)


@app.command()
def pause(
    roles: Roles = None,
    reason: Annotated[str, typer.Option(help="Why, for those who want to know later.")] = "",
    stack: StackOption = DEMO,
    wait: Wait = 0,
    cloud: CloudOption = Cloud.auto,
    json: Json = False,
) -> None:
    """Start no workers until `resume`; who works already goes on until he is done."""
    _set_paused(roles, True, reason, stack, wait, cloud, json=json)


@app.command()
def resume(
    roles: Roles = None,
    stack: StackOption = DEMO,
    wait: Wait = 0,
    cloud: CloudOption = Cloud.auto,
    json: Json = False,
) -> None:
    """Let workers be started again."""
    _set_paused(roles, False, "", stack, wait, cloud, json=json)


def _set_paused(
    roles: list[str] | None, paused: bool, reason: str, stack: str, wait: float, cloud: Cloud, *, json: bool
) -> None:
    with sentences():
        enter(cloud)
        from flows.pause_workers import pause_workers
        from tyrell.show import run_and_show

        title, facts = "pause workers" if paused else "resume workers", {"stack": checked_stack(stack)}
        run_and_show(
            title, pause_workers, stack, paused, tuple(roles or ()), reason, as_time(wait), facts=facts, json=json
        )
