"""What goes into a machine image of a kind: the units, programs and Docker images of its roles."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from pathlib import Path
from typing import get_args

from tasks.bake_keys import IMAGE, digest
from tasks.docker_engine import engine
from tasks.errors import NotFound, UsageError
from tasks.images import Image, find_given, find_image
from tasks.link_modules import ROOT
from tasks.model import Noun
from tasks.recipes import find_recipe
from tasks.roles import FOLDER, ImageKind, Role, all_role_names, load_role, roles_on
from tasks.templates import SHARED, program_files, unit_files

PACKER = ROOT / "packer"
UNITS, PROGRAMS = "etc/systemd/system", "opt/link/bin"

WITH_DOCKER = "[Unit]\nWants=docker.service\nAfter=docker.service\n\n[Service]\nKillMode=mixed\n"
"""A part of every unit here: its container ends before the engine does, and is told so by the unit's own program."""


class Contents(Noun):
    """All that is put into a machine image."""

    kind: ImageKind
    images: tuple[Image, ...]
    """One for each role, and for each service that has one of its own."""
    units: dict[str, str]
    programs: dict[str, str]
    shared: dict[str, str]
    """Text files by path below `/`; the shared ones are what services read."""
    without: tuple[str, ...] = ()
    """The services with a Docker image of their own that are left out."""


def find_contents(kind: str, given: Mapping[str, str], without: Collection[str] = ()) -> Contents:
    """What an image of this kind would be made of now; `given` are references of ready-made Docker images by role.

    Services with a Docker image of their own count as roles here, and may be left out: `without`. Raises NotFound for
    an unknown kind, role or service and for a Docker image that is not there, UsageError when no role is on this kind,
    TyrellError without a Docker Engine.
    """
    images = find_images(kind, given, without)
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
        shared=_shared(images),
        without=tuple(sorted(without)),
    )


def find_images(kind: str, given: Mapping[str, str], without: Collection[str] = ()) -> dict[str, Image | None]:
    """The Docker images of the kind's roles; None for one that is still to be built. Raises as `find_contents` does."""
    roles = find_roles(kind)
    own = {service.name: service.image for role in roles for service in role.services if service.image}
    for name in set(without) - own.keys():
        raise NotFound(f"service {name!r} that machine images of kind {kind} can be without", _there(own))
    references = {role.name: role.image for role in roles}
    references |= {name: image for name, image in own.items() if name not in without}
    for name in given.keys() - references.keys():
        raise NotFound(f"role {name!r} on machine images of kind {kind}", _there(references))
    return {name: _find_image(name, given.get(name) or image) for name, image in references.items()}


def check_kind(kind: str) -> None:
    """Raises NotFound when there is no such kind of machine image."""
    kinds = get_args(ImageKind)
    if kind not in kinds:
        raise NotFound(f"machine image kind {kind!r}", f"there are {', '.join(kinds)}")


def find_roles(kind: str) -> tuple[Role, ...]:
    """The roles whose machines are made of images of this kind. Raises NotFound, UsageError without any."""
    check_kind(kind)
    roles = roles_on(kind)
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
    return {"units": digest(_units(images)), "programs": digest(programs), "shared": digest(_shared(images)), **ids}


def template_digests() -> dict[str, str]:
    """The digest of what lies in `packer/`, by name: `template`, `scripts` and `files`."""
    return {
        "template": digest(_read(PACKER, "*.pkr.hcl") | _read(PACKER / "current", "*")),
        "scripts": digest(_read(PACKER / "scripts", "*")),
        "files": digest(_read(PACKER / "files", "**/*")),
    }


def stage_contents(contents: Contents, folder: Path) -> None:
    """Write everything into `folder` as the template wants it: `files/` as they lie below `/`, and `images.tar`."""
    files = _read(PACKER / "files", "**/*") | contents.units | contents.programs | contents.shared
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


def _roles(images: Collection[str]) -> tuple[Role, ...]:
    """The roles among these images, each without the services whose own image is not among them."""
    there = (load_role(name) for name in images if name in all_role_names())
    return tuple(role.without(set(role.ready_made) - set(images)) for role in there)


def _units(images: Collection[str]) -> dict[str, str]:
    """The units of the roles among these images by path."""
    return {
        path: text
        for role in _roles(images)
        for name, unit in unit_files(role).items()
        for path, text in ((f"{UNITS}/{name}", unit), (f"{UNITS}/{name}.d/docker.conf", WITH_DOCKER))
    }


def _programs(images: Mapping[str, str]) -> dict[str, str]:
    """The programs of the roles among these images by path, given the id of each image."""
    return {f"{PROGRAMS}/{name}": text for role in _roles(images) for name, text in program_files(role, images).items()}


def _shared(images: Collection[str]) -> dict[str, str]:
    """The files that services of the roles among these images read, by path."""
    return {
        f"{SHARED.lstrip('/')}/{folder}/{name}": text
        for role in _roles(images)
        for service in role.services
        for folder in service.files
        for name, text in _read(FOLDER / role.name / folder, "**/*").items()
    }


def _find_image(name: str, reference: str) -> Image | None:
    return find_given(name, reference) if reference else find_image(find_recipe(name))


def _read(folder: Path, pattern: str) -> dict[str, str]:
    return {str(path.relative_to(folder)): path.read_text() for path in sorted(folder.glob(pattern)) if path.is_file()}


def _there(names: Iterable[str]) -> str:
    return f"there are {', '.join(names) or 'none'}"
