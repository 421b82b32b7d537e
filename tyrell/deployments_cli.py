"""`tyrell deployments`: the flows as Prefect offers them in its UI and runs them on a worker."""

from __future__ import annotations

from typing import Annotated

import typer

from tyrell.environment import Cloud
from tyrell.options import DEMO, CloudOption, Json, StackOption, checked_stack, enter_prefect
from tyrell.run import notes, out, print_json, sentences

# See versions_cli.py.
# ruff: noqa: PLC0415

app = typer.Typer(help="The flows as the Prefect UI offers them, and a worker runs them.", no_args_is_help=True)

MetricsOption = Annotated[str, typer.Option(envvar="TYRELL_METRICS", help="The metrics stack that is filled in.")]
PoolOption = Annotated[str, typer.Option(envvar="TYRELL_WORK_POOL", help="The work pool that they run on.")]
METRICS, POOL = f"{DEMO}-metrics", "tyrell"


@app.command()
def apply(
    stack: StackOption = DEMO,
    metrics: MetricsOption = METRICS,
    work_pool: PoolOption = POOL,
    cloud: CloudOption = Cloud.auto,
    json: Json = False,
) -> None:
    """Register every flow for a stack, with its work pool and the automations; what is as wanted stays."""
    with sentences():
        _choose(cloud, stack, metrics, work_pool)
        from tasks.errors import TyrellError
        from tyrell.automations import apply_automations
        from tyrell.deployments import find_registrations, register_all
        from tyrell.work_pools import create_pool

        made = create_pool(work_pool)
        before = {each.name: each.problem for each in find_registrations() if each.problem}
        if before:
            with notes.status(f"registering {len(before)} deployments"):
                register_all()
        if left := {each.name: each.problem for each in find_registrations() if each.problem}:
            name, problem = left.popitem()
            raise TyrellError(f"deployment {name} is still {problem}; somebody else registers other ones, repeat it")
        automations = apply_automations()
        if json:
            print_json({"stack": stack, "work_pool": made, "registered": before, "automations": automations})
            return
        for name, problem in before.items():
            out.print(f"  registered {name}, was {problem}", highlight=False)
        for change in (*made, *automations):
            out.print(f"  {change}", highlight=False)
        if not (made or before or automations):
            out.print("nothing changed: every deployment is registered as it is here")


@app.command()
def status(
    stack: StackOption = DEMO,
    metrics: MetricsOption = METRICS,
    work_pool: PoolOption = POOL,
    cloud: CloudOption = Cloud.auto,
    json: Json = False,
) -> None:
    """Show which deployments are missing, stale or paused, and whether runs would begin. Exit code 1 when not."""
    with sentences():
        _choose(cloud, stack, metrics, work_pool)
        from tyrell.deployments import find_pool_problem, find_registrations

        found, pool = find_registrations(), find_pool_problem(work_pool)
        outdated = [each for each in found if each.problem]
        if json:
            print_json({"work_pool": pool, "deployments": [each.model_dump() for each in found]})
        else:
            for each in found:
                state = each.problem or ("paused" if each.paused else "as here")
                out.print(f"  {each.name:<32} {state}", highlight=False)
        if pool:
            notes.print(f"[yellow]![/] {pool}", highlight=False, soft_wrap=True)
        if outdated:
            mend = f"tyrell deployments apply --stack {stack} --metrics {metrics} --work-pool {work_pool}"
            notes.print(f"[yellow]![/] {len(outdated)} to be registered: `{mend}`", highlight=False, soft_wrap=True)
        if outdated or pool:
            raise typer.Exit(1)


def _choose(cloud: Cloud, stack: str, metrics: str, work_pool: str) -> None:
    enter_prefect(cloud)
    from tyrell.deployments import choose

    choose(checked_stack(stack), checked_stack(metrics), work_pool)
