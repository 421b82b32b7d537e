"""`tyrell local fault`: what goes wrong in the embedded cloud."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from tasks.errors import UsageError
from tyrell.options import Json
from tyrell.run import out, print_json, sentences

if TYPE_CHECKING:
    from tyrell.local.faults.model import Fault, Given

# See tyrell/local/cli.py.
# ruff: noqa: PLC0415

app = typer.Typer(help="What goes wrong in the embedded cloud, on purpose.", no_args_is_help=True)


@app.command()
def add(
    kind: Annotated[str, typer.Argument(help="The kind of fault, or the name of a preset; `kinds` lists them.")],
    call: Annotated[str | None, typer.Option(help="Which calls, as service.Operation; may hold *.")] = None,
    nth: Annotated[int | None, typer.Option(help="Only the n-th of these calls.")] = None,
    share: Annotated[float | None, typer.Option(help="The share of these calls, 0 to 1.")] = None,
    seed: Annotated[int | None, typer.Option(help="Which of them, when not all: the same seed, the same.")] = None,
    seconds: Annotated[float | None, typer.Option(help="How long, or how late.")] = None,
    up: Annotated[float | None, typer.Option(help="Seconds that a flapping machine works in between.")] = None,
    machines: Annotated[str | None, typer.Option(help="Which instances, by their names; may hold *.")] = None,
    count: Annotated[int | None, typer.Option(help="Only so many instances.")] = None,
    target_groups: Annotated[str | None, typer.Option(help="Which target groups, by name; may hold *.")] = None,
    json: Json = False,
) -> None:
    """Have something go wrong from now on."""
    with sentences():
        from tyrell.local.faults.remote import add_fault
        from tyrell.local.inventory import running

        options = {
            **{"call": call, "nth": nth, "share": share, "seed": seed, "seconds": seconds, "up": up},
            **{"machines": machines, "count": count, "target_groups": target_groups},
        }
        faults = _wanted(kind, {name: value for name, value in options.items() if value is not None})
        settings = running().settings
        _show([add_fault(settings, fault) for fault in faults], json=json)


@app.command("list")
def list_(json: Json = False) -> None:
    """Show every fault that is on, and whom it has struck."""
    with sentences():
        from tyrell.local.faults.remote import find_faults
        from tyrell.local.inventory import running

        _show(find_faults(running().settings), json=json)


@app.command()
def clear(
    number: Annotated[int | None, typer.Argument(help="The fault's number; without it all.")] = None,
    json: Json = False,
) -> None:
    """Take a fault back, or all of them."""
    with sentences():
        from tyrell.local.faults.remote import clear_faults
        from tyrell.local.inventory import running

        _show(clear_faults(running().settings, number), json=json)


@app.command()
def kinds() -> None:
    """Show what can go wrong, and the presets."""
    with sentences():
        from tyrell.local.faults.model import BalancerFault, CallFault, MachineFault, ServerFault
        from tyrell.local.faults.presets import presets

        for model in (CallFault, MachineFault, BalancerFault, ServerFault):
            out.print(f"{' '.join((model.__doc__ or '').split())}\n", highlight=False, markup=False)
        for name, preset in presets().items():
            out.print(f"{name}: {preset.why}", highlight=False, markup=False)


def _wanted(kind: str, options: dict[str, Any]) -> tuple[Fault, ...]:
    """The faults of a preset, or the one. Raises UsageError, pydantic's ValidationError."""
    from tyrell.local.faults.model import FAULT
    from tyrell.local.faults.presets import presets

    if kind not in presets():
        return (FAULT.validate_python({"kind": kind, **options}),)
    if options:
        raise UsageError(f"{kind} is a preset, which takes no options; leave out --{next(iter(options))}")
    return presets()[kind].faults


def _show(given: list[Given], *, json: bool) -> None:
    if json:
        print_json([each.model_dump() for each in given])
        return
    for each in given:
        told = each.fault.model_dump(exclude_defaults=True, exclude={"kind"})
        options = " ".join(f"{name}={value}" for name, value in told.items())
        struck = f"struck {len(each.struck)}, last {each.struck[-1]}" if each.struck else "has struck nothing"
        out.print(f"{each.id:>3}  {each.fault.kind} {options}: {struck}", highlight=False, markup=False, soft_wrap=True)
    if not given:
        out.print("no fault is on")
