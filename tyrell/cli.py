"""The `tyrell` command."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Annotated

import typer

from tyrell.environment import Cloud, Surroundings
from tyrell.local.cli import app as local_app
from tyrell.run import print_json, sentences

if TYPE_CHECKING:
    from tasks.model import Version

# Flows, Prefect and boto3 are imported inside the commands: `tyrell --help` has to answer at once, and they read the
# environment that `enter` sets.
# ruff: noqa: PLC0415

app = typer.Typer(
    help="Put a Zetta Link cloud on AWS, or on the embedded cloud, and keep it healthy.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
app.add_typer(local_app, name="local")

StackOption = Annotated[str, typer.Option("--stack", "-s", envvar="TYRELL_STACK", help="The stack to work on.")]
StackArgument = Annotated[str, typer.Argument(envvar="TYRELL_STACK", help="The stack to work on.")]
CloudOption = Annotated[
    Cloud, typer.Option(envvar="TYRELL_CLOUD", help="Where: `auto` is the embedded cloud when it is up, else AWS.")
]
Json = Annotated[bool, typer.Option("--json", help="Print JSON for machines.")]
Ami = Annotated[str, typer.Option(help="The machine image to deploy; default: the newest Link image.")]
VersionName = Annotated[str, typer.Option("--version", help="The new version's id; default: the image's own.")]
DEMO = "demo"


def _checked(stack: str) -> str:
    """The stack's name, if it can be one. Raises ValidationError."""
    from pydantic import TypeAdapter

    from tasks.model import StackName

    return str(TypeAdapter(StackName).validate_python(stack))


def _version(stack: str, role: str, version: str) -> Version:
    """A version of a role there is. Raises NotFound or RoleInvalid for the role, ValidationError for a name."""
    from tasks.model import Version
    from tasks.roles import load_role

    load_role(role)
    return Version(stack=stack, role=role, id=version)


def _enter(cloud: Cloud) -> Surroundings:
    from tyrell.environment import enter

    return enter(cloud)


@app.command()
def up(
    stack: StackArgument = DEMO,
    network: Annotated[str, typer.Option(help="The network to lie in; default: <stack>-network.")] = "",
    cidr: Annotated[str, typer.Option(help="The network's addresses, /16 to /24.")] = "",
    port: Annotated[int, typer.Option(help="The port of the load balancers; default: 80, 8080 when embedded.")] = 0,
    ami: Ami = "",
    version: VersionName = "",
    size: Annotated[list[str] | None, typer.Option(help="Machines of a role, as ROLE=N; may be repeated.")] = None,
    cloud: CloudOption = Cloud.auto,
    json: Json = False,
) -> None:
    """Bring up a whole stack; what is there already is left as it is."""
    with sentences():
        place = _enter(cloud)
        from tyrell.bring_up import bring_up_and_show, parse_sizes, wanted

        bring_up_and_show(
            *wanted(stack, network, cidr, port, place),
            ami=ami,
            version=version,
            sizes=parse_sizes(size or []),
            place=place,
            json=json,
        )


@app.command()
def status(stack: StackArgument = DEMO, cloud: CloudOption = Cloud.auto, json: Json = False) -> None:
    """Show every version of the stack, its health and traffic. Exit code 1 when something is not healthy."""
    with sentences():
        _enter(cloud)
        from tasks.overview import find_overview
        from tyrell.show import is_healthy, show_overview

        overview = find_overview(_checked(stack))
        if json:
            print_json(overview.model_dump())
        else:
            show_overview(overview)
        if not all(map(is_healthy, overview.rows)):
            raise typer.Exit(1)


@app.command()
def deploy(
    role: Annotated[str, typer.Argument(help="The role to deploy a version of.")],
    stack: StackOption = DEMO,
    ami: Ami = "",
    version: VersionName = "",
    size: Annotated[int | None, typer.Option(help="Machines; default: the role's.")] = None,
    cloud: CloudOption = Cloud.auto,
    json: Json = False,
) -> None:
    """Create a version beside the live one and wait until it is healthy. Moves no traffic."""
    with sentences():
        _enter(cloud)
        from flows.deploy import deploy as flow
        from tasks.amis import find_release
        from tasks.model import Version
        from tasks.roles import load_role
        from tyrell.show import run_and_show

        kind = load_role(role)
        if size is not None:
            kind.check_size(size)
        release = find_release(ami, version)
        wanted = Version(stack=stack, role=role, id=release.id)
        undo = f"tyrell retire {role} {release.id} --stack {stack}"
        title, facts = f"deploy {role} {release.id}", wanted.model_dump()
        run_and_show(title, flow, wanted, release, size, facts=facts, undo=undo, json=json)


@app.command()
def switch(
    role: Annotated[str, typer.Argument(help="The role whose traffic is moved.")],
    version: Annotated[str, typer.Argument(help="The version that is to be live.")],
    stack: StackOption = DEMO,
    cloud: CloudOption = Cloud.auto,
    json: Json = False,
) -> None:
    """Move all traffic of a role to a version that is deployed and healthy."""
    with sentences():
        _enter(cloud)
        from flows.switch import switch as flow
        from tyrell.show import run_and_show

        wanted = _version(stack, role, version)
        run_and_show(f"switch {role} to {version}", flow, wanted, facts=wanted.model_dump(), json=json)


@app.command()
def retire(
    role: Annotated[str, typer.Argument(help="The role a version of which is to go.")],
    version: Annotated[str, typer.Argument(help="The version; it must not have traffic.")],
    stack: StackOption = DEMO,
    cloud: CloudOption = Cloud.auto,
    json: Json = False,
) -> None:
    """Delete a version that serves nobody."""
    with sentences():
        _enter(cloud)
        from flows.retire import retire as flow
        from tyrell.show import run_and_show

        idle = _version(stack, role, version)
        run_and_show(f"retire {role} {version}", flow, idle, facts=idle.model_dump(), json=json)


@app.command()
def down(
    stack: StackArgument = DEMO,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    cloud: CloudOption = Cloud.auto,
    json: Json = False,
) -> None:
    """Delete the stack and, when no other stack lies in it, its network. Buckets are kept."""
    with sentences():
        place = _enter(cloud)
        from flows.tear_down import tear_down
        from tyrell.show import run_and_show

        if not yes:
            typer.confirm(f"Delete stack {stack} on {place.name}?", abort=True)
        run_and_show(f"tear down {stack}", tear_down, _checked(stack), facts={"stack": stack}, json=json)


@app.command()
def demo(
    detach: Annotated[bool, typer.Option("--detach", help="Leave it running; `tyrell local down` stops it.")] = False,
) -> None:
    """Start the embedded cloud and bring up a whole stack on it; Ctrl-C stops everything."""
    with sentences():
        from tyrell.demo import run_demo

        run_demo(DEMO, detach=detach)


def main() -> None:
    """The console script."""
    os.environ.setdefault("PREFECT_LOGGING_TO_API_WHEN_MISSING_FLOW", "ignore")
    app()
