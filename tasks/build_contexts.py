"""What Docker builds an image from: the files of a role, or any folder, as one archive that is the same everywhere."""

from __future__ import annotations

import io
import tarfile
from collections.abc import Mapping
from pathlib import Path

from docker.utils import exclude_paths

from tasks.dockerfiles import NAME, copied_names, named_modules
from tasks.errors import NotFound, RoleInvalid
from tasks.link_modules import OURS, ROOT, find_program
from tasks.requirements import LOCK, locked_requirements
from tasks.roles import FOLDER, load_role

PACKAGES = "requirements.in"
"""In a role's folder: packages its programs need without importing them, one a line."""


def role_context(role: str, root: Path = ROOT) -> bytes:
    """The archive of a role: its Dockerfile, the modules of `link/` its programs need, `requirements.txt`, what else of
    the repository the Dockerfile copies.

    The programs are the modules that the Dockerfile names (`link.router`). Raises NotFound for a role, a Dockerfile
    or a package that is not there, RoleInvalid for a role that cannot be read and a module that is not there.
    """
    load_role(role)
    folder = root / FOLDER.name / role
    dockerfile = folder / NAME
    if not dockerfile.is_file():
        shown = dockerfile.relative_to(root)
        raise NotFound(f"{shown}", f"write one, or say what {role} is made of with --context or --image")
    try:
        program = find_program(named_modules(dockerfile.read_text()), root)
    except NotFound as error:
        raise RoleInvalid(f"{dockerfile.relative_to(root)}", str(error)) from None
    more = folder / PACKAGES
    packages = {*program.packages, *(more.read_text().split() if more.is_file() else ())}
    requirements = locked_requirements(sorted(packages), root / LOCK.name)
    names = (*program.files, *copied_files(dockerfile.read_text(), root))
    files: dict[str, Path | str] = {name: root / name for name in names}
    # Roles may share one: in the archive a link would lead nowhere.
    return archive({**files, NAME: dockerfile.resolve(), "requirements.txt": requirements})


def folder_context(folder: Path) -> bytes:
    """The archive of a folder, without what its `.dockerignore` names. Raises NotFound without a Dockerfile."""
    if not (folder / NAME).is_file():
        raise NotFound(f"{folder / NAME}", "name a folder that holds one, or a git URL")
    return archive({name: folder / name for name in _let_in(folder)})


def copied_files(dockerfile: str, root: Path = ROOT) -> tuple[str, ...]:
    """The files of the repository that a Dockerfile copies as they are, without what `.dockerignore` names.

    Of `link/` only what programs import is copied: that is not here.
    """
    wanted = set(copied_names(dockerfile)) - {OURS, "requirements.txt"}
    if not wanted:
        return ()
    return tuple(sorted(name for name in _let_in(root) if name.split("/")[0] in wanted and (root / name).is_file()))


def _let_in(folder: Path) -> set[str]:
    """The paths in a folder that its `.dockerignore` leaves."""
    ignore = folder / ".dockerignore"
    lines = [line.strip() for line in ignore.read_text().splitlines()] if ignore.is_file() else []
    patterns = [line for line in lines if line and not line.startswith("#")]
    return set(exclude_paths(str(folder), patterns))


def archive(files: Mapping[str, Path | str]) -> bytes:
    """A tar of `files` by name (text stands for itself), byte for byte the same on every machine.

    Of modes only the executable bit is kept, as git does; owners and times are left out.
    """
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w", format=tarfile.PAX_FORMAT) as tar:
        for name, file in sorted(files.items()):
            if isinstance(file, str):
                entry = tarfile.TarInfo(name)
                entry.size = len(file.encode())
                tar.addfile(_plain(entry), io.BytesIO(file.encode()))
            else:
                tar.add(file, name, recursive=False, filter=_plain)
    return packed.getvalue()


def dockerfile_in(context: bytes) -> str:
    """The text of the Dockerfile in an archive."""
    with tarfile.open(fileobj=io.BytesIO(context)) as tar:
        file = tar.extractfile(NAME)
        return file.read().decode() if file else ""


def _plain(entry: tarfile.TarInfo) -> tarfile.TarInfo:
    entry.uid = entry.gid = entry.mtime = 0
    entry.uname = entry.gname = ""
    entry.mode = 0o755 if entry.isdir() or entry.mode & 0o100 else 0o644
    return entry
