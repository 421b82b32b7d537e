"""`tyrell data`: data that outlive stacks."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from tyrell.environment import Cloud
from tyrell.options import CloudOption, Json, enter
from tyrell.run import FAILED, out, print_json, run_flow, sentences

# See versions_cli.py.
# ruff: noqa: PLC0415

data = typer.Typer(help="Data that outlive stacks.", no_args_is_help=True)


def add_to(app: typer.Typer) -> None:
    """Make the commands part of `tyrell`."""
    app.add_typer(data, name="data")


@data.callback()
def group() -> None:
    """Data that outlive stacks."""


@data.command()
def merge(
    old: Annotated[str, typer.Argument(help="The bucket that the objects are in.")],
    new: Annotated[str, typer.Argument(help="The bucket that they are to be in.")],
    keep: Annotated[bool, typer.Option("--keep", help="Leave them in the old bucket as well.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what would be done.")] = False,
    parallel: Annotated[int, typer.Option(min=1, max=128, help="Objects to work on at the same time.")] = 32,
    part_size: Annotated[int, typer.Option(min=5, max=5120, help="MiB above which objects go in parts.")] = 5120,
    cloud: CloudOption = Cloud.auto,
    json: Json = False,
) -> None:
    """Move all objects of a bucket to another one: copied by S3, compared, then deleted. Nothing is overwritten."""
    with sentences():
        enter(cloud)
        from flows.merge_buckets import merge_buckets
        from tasks.errors import LeftBehind
        from tasks.merged import MIB

        options = (keep, dry_run, parallel, part_size * MIB)
        try:
            merged = run_flow(f"merge {old} into {new}", merge_buckets, old, new, *options, quiet=json)
        except LeftBehind as error:
            merged = error.merged
        if json:
            print_json(merged.model_dump())
        else:
            for line in merged.told():
                out.print(f"  {line}", highlight=False, markup=False, soft_wrap=True)
        if merged.left:
            raise typer.Exit(FAILED)


def told_twice(stack: str, again: str, *, delete_data: bool, ask: bool) -> str:
    """The word without which no data are deleted: given as `again`, or asked of the person at the terminal.

    Nobody is asked when nothing would be lost. Raises UsageError for a second word without a first.
    """
    from tasks.errors import UsageError
    from tasks.stack_buckets import find_buckets, find_full
    from tasks.stacks import check_ours

    if again and not delete_data:
        raise UsageError("--yes-delete-data says nothing without --delete-data; give both, or none")
    if again or not (delete_data and ask and sys.stdin.isatty()):
        return again
    if not (full := find_full(find_buckets(check_ours(stack, "base")))):
        return ""
    question = f"The data in bucket {' and bucket '.join(full)} will be lost. Type the stack's name to go on"
    return str(typer.prompt(question))
