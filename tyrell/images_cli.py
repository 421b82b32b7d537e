"""`tyrell build-image`: the Docker images of roles."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from tyrell.environment import Cloud
from tyrell.options import CloudOption, Json, enter
from tyrell.run import out, print_json, run_flow, sentences

if TYPE_CHECKING:
    from tasks.images import Built

# See versions_cli.py.
# ruff: noqa: PLC0415


def add_to(app: typer.Typer) -> None:
    """Make the command part of `tyrell`."""
    app.command()(build_image)


def build_image(
    roles: Annotated[list[str], typer.Argument(metavar="ROLE...", help="Whose images.")],
    version: Annotated[str, typer.Option("--version", help="A tag beside the digest of the inputs.")] = "",
    context: Annotated[str, typer.Option(help="Build this folder, or git URL, instead of the role's own files.")] = "",
    image: Annotated[str, typer.Option(help="Use this ready-made image; nothing is built.")] = "",
    push: Annotated[str, typer.Option(metavar="REGISTRY", help="Push them there: host, port and path.")] = "",
    credentials: Annotated[
        str, typer.Option(help="The Prefect Secret block with the registry's login; default: ECR's, or Docker's own.")
    ] = "",
    build_arg: Annotated[list[str] | None, typer.Option(help="NAME=VALUE for an ARG; may be repeated.")] = None,
    require_clean: Annotated[bool, typer.Option("--require-clean", help="Refuse what no commit has.")] = False,
    cloud: CloudOption = Cloud.auto,
    json: Json = False,
) -> None:
    """Build the Docker image of each role; where nothing has changed, nothing is built."""
    with sentences():
        args = parse_args(build_arg or [])
        _check(roles, version, context, image)
        enter(cloud)
        from flows.build_image import build_images

        title = f"build images of {', '.join(roles)}"
        built = run_flow(
            title,
            build_images,
            tuple(roles),
            version,
            context,
            args,
            image,
            push,
            credentials,
            require_clean,
            quiet=json,
        )
        if json:
            print_json([each.model_dump() for each in built])
        else:
            show(built)


def show(built: tuple[Built, ...]) -> None:
    """One line a role."""
    for each in built:
        size = f"{each.image.size / 1e6:.0f} MB"
        out.print(
            f"{each.image.role:<16} {each.outcome:<9} {each.image.reference}  {size}  {each.seconds:.1f} s",
            highlight=False,
            soft_wrap=True,
        )


def parse_args(given: list[str]) -> dict[str, str]:
    """`NAME=VALUE` words as a mapping. Raises UsageError."""
    from tasks.errors import UsageError

    for word in given:
        if not word.partition("=")[0].isidentifier() or "=" not in word:
            raise UsageError(f"--build-arg {word} cannot be read: write it as NAME=VALUE")
    return dict(word.split("=", 1) for word in given)


def _check(roles: list[str], version: str, context: str, image: str) -> None:
    """Raises UsageError for what does not go together, NotFound for a role there is not, ValidationError for a name."""
    from pydantic import TypeAdapter

    from tasks.errors import UsageError
    from tasks.model import VersionId
    from tasks.roles import load_role

    if version:
        TypeAdapter(VersionId).validate_python(version)
    for role in roles:
        load_role(role)
    if context and image:
        raise UsageError("--context says what to build and --image that nothing is built: choose one")
    if len(roles) > 1 and (context or image):
        raise UsageError(f"one {'context' if context else 'image'} is for one role, not for {', '.join(roles)}")
