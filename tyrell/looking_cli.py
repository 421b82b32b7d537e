"""`tyrell versions, locks, approve`: what there is, who changes it, and whether he may."""

from __future__ import annotations

from typing import Annotated

import typer

from tyrell.environment import Cloud
from tyrell.options import DEMO, CloudOption, Json, RoleArgument, StackOption, checked_stack, enter
from tyrell.run import out, print_json, sentences

# See versions_cli.py.
# ruff: noqa: PLC0415


def add_to(app: typer.Typer) -> None:
    """Make the commands part of `tyrell`."""
    for command in (versions, locks, approve):
        app.command()(command)


def versions(
    role: RoleArgument,
    stack: StackOption = DEMO,
    cloud: CloudOption = Cloud.auto,
    json: Json = False,
) -> None:
    """Show every version of a role: which is live, which can be gone back to, which is bad."""
    with sentences():
        enter(cloud)
        from tasks.roles import load_role
        from tasks.standing import find_standings
        from tyrell.show import show_standings

        standings = find_standings(checked_stack(stack), load_role(role))
        if json:
            print_json([standing.model_dump() for standing in standings])
        else:
            show_standings(role, standings)


def locks(stack: StackOption = DEMO, cloud: CloudOption = Cloud.auto, json: Json = False) -> None:
    """Show who is changing what, and since when."""
    with sentences():
        enter(cloud)
        from tasks.locks import find_locks
        from tyrell.show import show_locks

        found = find_locks(checked_stack(stack))
        if json:
            print_json([lock.model_dump() for lock in found])
        else:
            show_locks(found)


def approve(
    role: RoleArgument,
    note: Annotated[str, typer.Option(help="Why.")] = "",
    no: Annotated[bool, typer.Option("--no", help="Refuse; the upgrade goes back.")] = False,
    stack: StackOption = DEMO,
    cloud: CloudOption = Cloud.auto,
) -> None:
    """Say yes, or no, to an upgrade that waits for a person; the Prefect UI can do it too."""
    with sentences():
        enter(cloud)
        from tasks.approvals import Approval, answer_approval
        from tasks.locks import me
        from tasks.roles import load_role

        load_role(role)
        answer = Approval(decision="no" if no else "yes", approver=me(), note=note)
        run = answer_approval(checked_stack(stack), role, answer)
        out.print(f"{'refused' if no else 'approved'}: {run}", highlight=False)
