"""`tyrell plan COMMAND` and `tyrell apply FILE`: what a command would do, and having exactly that done."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from tyrell.environment import Cloud
from tyrell.options import CloudOption, Json, enter
from tyrell.planning import planning
from tyrell.run import out, print_json, run_flow, sentences

# See versions_cli.py.
# ruff: noqa: PLC0415

PLANNABLE = frozenset(
    {
        *("up", "down", "network", "stack update", "sweep"),
        *("deploy", "upgrade", "rollback", "switch", "scale", "retire", "prune", "release"),
        *("build-image", "bake", "builds prune", "data merge"),
        *("workers run-now", "workers pause", "workers resume"),
        *("metrics up", "metrics attach", "metrics detach", "metrics assign", "metrics down"),
        *("metrics backup", "metrics restore"),
    }
)
"""The commands that change something by a flow, and end in `run_flow`."""


def add_to(app: typer.Typer) -> None:
    """Make the commands part of `tyrell`."""
    everything = {"allow_extra_args": True, "ignore_unknown_options": True}
    app.command(context_settings=everything)(plan)
    app.command()(apply)


def plan(
    context: typer.Context,
    command: Annotated[list[str], typer.Argument(metavar="COMMAND [ARGS]...", help="The command, as it is run.")],
    file: Annotated[Path | None, typer.Option("--out", help="Write the plan here, for `tyrell apply`.")] = None,
) -> None:
    """Show what a command would do: steps, times, what runs twice, costs. Nothing is changed."""
    with sentences():
        from tasks.errors import UsageError

        name = next((" ".join(command[:words]) for words in (2, 1) if " ".join(command[:words]) in PLANNABLE), "")
        if not name:
            raise UsageError(f"`{' '.join(command[:2])}` cannot be planned; these can: {', '.join(sorted(PLANNABLE))}")
    with planning(file) as wanted:
        whole = context.find_root().command
        code = whole.main(args=list(command), prog_name="tyrell plan", standalone_mode=False)
    if code:
        raise typer.Exit(code)
    with sentences():
        if not wanted.made:
            raise UsageError(f"`{' '.join(command)}` only shows something: there is nothing to plan")


def apply(
    file: Annotated[Path, typer.Argument(help="What `tyrell plan ... --out FILE` has written.")],
    cloud: CloudOption = Cloud.auto,
    json: Json = False,
) -> None:
    """Do exactly what was planned; refused when the world is not as it was when the plan was made."""
    with sentences():
        enter(cloud)
        from flows.apply import apply as flow
        from tasks.planning.making import read_plan

        made = read_plan(file)
        result = run_flow(
            f"apply the plan of {made.flow} {made.draft.of}", flow, made.model_dump(mode="json"), quiet=json
        )
        if json:
            print_json({"flow": made.flow, "result": _as_data(result)})
        else:
            for line in _told(result) or ["nothing changed: everything is as wanted"]:
                out.print(f"  {line}", highlight=False, markup=False, soft_wrap=True)


def _told(result: Any) -> list[str]:
    """What a flow returns, a line each: sentences as they are, records as JSON."""
    many = result if isinstance(result, tuple | list) else [result]
    return [each if isinstance(each, str) else each.model_dump_json() for each in many]


def _as_data(result: Any) -> Any:
    from pydantic import TypeAdapter

    return TypeAdapter(Any).dump_python(result, mode="json")
