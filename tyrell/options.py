"""What many commands take: the stack, the cloud, the way to print."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from tyrell.environment import Cloud, Surroundings

if TYPE_CHECKING:
    from datetime import timedelta

    from tasks.model import Version

# boto3, Prefect and pydantic are imported late: `tyrell --help` has to answer at once.
# ruff: noqa: PLC0415

DEMO = "demo"

StackOption = Annotated[str, typer.Option("--stack", "-s", envvar="TYRELL_STACK", help="The stack to work on.")]
StackArgument = Annotated[str, typer.Argument(envvar="TYRELL_STACK", help="The stack to work on.")]
CloudOption = Annotated[
    Cloud, typer.Option(envvar="TYRELL_CLOUD", help="Where: `auto` is the embedded cloud when it is up, else AWS.")
]
Json = Annotated[bool, typer.Option("--json", help="Print JSON for machines.")]
Ami = Annotated[str, typer.Option(help="The machine image to deploy; default: the newest Link image.")]
VersionName = Annotated[str, typer.Option("--version", help="The new version's id; default: the image's own.")]
RoleArgument = Annotated[str, typer.Argument(help="The role.")]
Wait = Annotated[
    float,
    typer.Option("--wait", min=0, help="Seconds to wait for another change to end; default: none."),
]
Override = Annotated[
    str,
    typer.Option("--override-calendar", metavar="WHY", help="Do it though the stack's calendar holds it; recorded."),
]
Force = Annotated[bool, typer.Option("--force", help="Do what is refused for a good reason.")]


def enter(cloud: Cloud) -> Surroundings:
    """Set the environment for the chosen cloud."""
    from tyrell import environment

    return environment.enter(cloud)


def enter_prefect(cloud: Cloud) -> None:
    """Set the environment for a command that talks to the Prefect server only. Raises TyrellError without one."""
    from tyrell import environment, run

    environment.enter(cloud, aws=False)
    run.check_prefect_server()


def checked_stack(stack: str) -> str:
    """The stack's name, if it can be one. Raises ValidationError."""
    from pydantic import TypeAdapter

    from tasks.model import StackName

    return str(TypeAdapter(StackName).validate_python(stack))


def checked_version(stack: str, role: str, version: str) -> Version:
    """A version of a role there is. Raises NotFound or RoleInvalid for the role, ValidationError for a name."""
    from tasks.model import Version
    from tasks.roles import load_role

    load_role(role)
    return Version(stack=stack, role=role, id=version)


def as_time(seconds: float) -> timedelta | None:
    """None for 0: not at all."""
    from datetime import timedelta

    return timedelta(seconds=seconds) if seconds else None
