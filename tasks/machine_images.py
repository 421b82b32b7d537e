"""What goes into a machine image of a kind: the units, programs and Docker images of its roles."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import get_args

from tasks.bake_keys import IMAGE, digest
from tasks.docker_engine import engine
from tasks.errors import NotFound, UsageError
from tasks.images import Image, find_image, use_image
from tasks.link_modules import ROOT
from tasks.model import Noun
from tasks.recipes import find_recipe
from tasks.roles import ImageKind, Role, all_role_names, load_role
from tasks.templates import program_files, unit_files

PACKER = ROOT / "packer"
UNITS, PROGRAMS = "etc/systemd/system", "opt/link/bin"

WITH_DOCKER = "[Unit]\nWants=docker.service\nAfter=docker.service\n\n[Service]\nKillMode=mixed\n"
"""A part of every unit here: its container ends before the engine does, and is told so by the unit's own program."""


class Contents(Noun):
    """All that is put into a machine image."""

    kind: ImageKind
    images: tuple[Image, ...]
    """One for each role."""
    units: dict[str, str]
    programs: dict[str, str]
    """Text files by path below `/`."""


def find_contents(kind: str, given: Mapping[str, str]) -> Contents:
    """What an image of this kind would be made of now; `given` are references of ready-made Docker images by role.

    Raises NotFound for an unknown kind or role and for a Docker image that is not there, UsageError when no role is on
    this kind, TyrellError without a Docker Engine.
    """
    images = find_images(kind, given)
    for role, image in images.items():
        if image is None:
            raise NotFound(
                f"the Docker image of {role} as it lies in the checkout", f"`tyrell build-image {role}` builds it"
            )
    there = tuple(image for image in images.values() if image)
    return Contents(
        kind=find_roles(kind)[0].machine_image,
        images=there,
        units=_units(images),
        programs=_programs({image.role: image.id for image in there}),
    )


def find_images(kind: str, given: Mapping[str, str]) -> dict[str, Image | None]:
    """The Docker images of the kind's roles; None for one that is still to be built. Raises as `find_contents` does."""
    roles = find_roles(kind)
    for role in given.keys() - {role.name for role in roles}:
        raise NotFound(f"role {role!r} on machine images of kind {kind}", f"there are {_shown(roles)}")
    return {role.name: _find_image(role.name, given.get(role.name) or role.image) for role in roles}


def check_kind(kind: str) -> None:
    """Raises NotFound when there is no such kind of machine image."""
    kinds = get_args(ImageKind)
    if kind not in kinds:
        raise NotFound(f"machine image kind {kind!r}", f"there are {', '.join(kinds)}")


def find_roles(kind: str) -> tuple[Role, ...]:
    """The roles whose machines are made of images of this kind. Raises NotFound, UsageError without any."""
    check_kind(kind)
    roles = tuple(role for role in map(load_role, all_role_names()) if role.machine_image == kind)
    if not roles:
        raise UsageError(
            f'no role is on machine images of kind {kind}; a role says so in its role.toml: machine_image = "{kind}"'
        )
    return roles


def content_digests(images: Mapping[str, Image | None]) -> dict[str, str]:
    """The digest of each part, by name: `units`, `programs`, and the id of every role's Docker image.

    That of an image that is still to be built is empty.
    """
    ids = {IMAGE + role: image.id.removeprefix("sha256:") if image else "" for role, image in images.items()}
    # Programs name the id of their image; one that changed is not a changed program.
    programs = _programs({role: role for role in images})
    return {"units": digest(_units(images)), "programs": digest(programs), **ids}


def template_digests() -> dict[str, str]:
    """The digest of what lies in `packer/`, by name: `template`, `scripts` and `files`."""
    return {
        "template": digest(_read(PACKER, "*.pkr.hcl") | _read(PACKER / "current", "*")),
        "scripts": digest(_read(PACKER / "scripts", "*")),
        "files": digest(_read(PACKER / "files", "**/*")),
    }


def stage_contents(contents: Contents, folder: Path) -> None:
    """Write everything into `folder` as the template wants it: `files/` as they lie below `/`, and `images.tar`."""
    files = _read(PACKER / "files", "**/*") | contents.units | contents.programs
    files["opt/link/images"] = "".join(f"{image.id} {image.role}\n" for image in contents.images)
    for name, text in files.items():
        path = folder / "files" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        path.chmod(0o755 if name.startswith(f"{PROGRAMS}/") else 0o644)
    _save_images([image.id for image in contents.images], folder / "images.tar")


def _save_images(ids: list[str], file: Path) -> None:
    """All in one archive, as `docker save` writes it: layers that images share are in it once.

    The SDK saves one image at a time. https://docs.docker.com/reference/api/engine/version/v1.41/#tag/Image/operation/ImageGetAll
    """
    with engine() as client, file.open("wb") as archive:
        url = f"{client.api.base_url}/v{client.api.api_version}/images/get"
        with client.api.get(url, params={"names": ids}, stream=True) as saved:
            saved.raise_for_status()
            archive.writelines(saved.iter_content(1 << 20))


def _units(roles: Iterable[str]) -> dict[str, str]:
    """The units of these roles by path."""
    return {
        path: text
        for role in roles
        for name, unit in unit_files(load_role(role)).items()
        for path, text in ((f"{UNITS}/{name}", unit), (f"{UNITS}/{name}.d/docker.conf", WITH_DOCKER))
    }


def _programs(images: Mapping[str, str]) -> dict[str, str]:
    """The programs of these roles by path, given the id of each role's image."""
    return {
        f"{PROGRAMS}/{name}": text
        for role, image in images.items()
        for name, text in program_files(load_role(role), image).items()
    }


def _find_image(role: str, reference: str) -> Image | None:
    return use_image.fn(role, reference).image if reference else find_image(find_recipe(role))


def _read(folder: Path, pattern: str) -> dict[str, str]:
    return {str(path.relative_to(folder)): path.read_text() for path in sorted(folder.glob(pattern)) if path.is_file()}


def _shown(roles: tuple[Role, ...]) -> str:
    return ", ".join(role.name for role in roles)
