"""The Docker image that Debian's machine image consists of, made once for each Docker Engine.

Nothing is pulled: the engine has `debian:bookworm-slim`, or mmdebstrap makes it of Debian's packages. On top of it come
systemd, cloud-init and sshd (`debian/Dockerfile`).
"""

from __future__ import annotations

import hashlib
import logging
import subprocess
from pathlib import Path
from tempfile import TemporaryDirectory

from docker.errors import APIError, BuildError, ImageNotFound

from tasks.errors import TyrellError, UsageError
from tyrell.local.containers.docker_engine import docker_engine

log = logging.getLogger(__name__)

RECIPE = Path(__file__).with_name("debian")
ROOT_FILE_SYSTEM = "debian:bookworm-slim"
REPOSITORY = "tyrell/debian"
RECIPE_LABEL = "tyrell.recipe"

LEFT_OUT = (
    *("--dpkgopt=path-exclude=/usr/share/man/*", "--dpkgopt=path-exclude=/usr/share/locale/*"),
    *("--dpkgopt=path-exclude=/usr/share/doc/*", "--dpkgopt=path-include=/usr/share/doc/*/copyright"),
)
"""What the image of this name on Docker Hub leaves out, too."""


def recipe_digest() -> str:
    """Twelve digits that change with the recipe."""
    digest = hashlib.sha256()
    for file in sorted(RECIPE.iterdir()):
        digest.update(file.name.encode() + b"\0" + file.read_bytes())
    return digest.hexdigest()[:12]


def base_image() -> str:
    """The image's reference, `tyrell/debian:<digest of its recipe>`, whether the engine has it or not."""
    return f"{REPOSITORY}:{recipe_digest()}"


def ensure_base_image() -> str:
    """Make the image unless the engine has it, in one or two minutes; its reference.

    Raises UsageError when no engine answers or a program is missing, TyrellError with the last words of what failed.
    """
    if _known(base_image()):
        return base_image()
    if not _known(ROOT_FILE_SYSTEM):
        log.info("making %s with mmdebstrap", ROOT_FILE_SYSTEM)
        _bootstrap()
    log.info("building %s", base_image())
    try:
        docker_engine().images.build(
            path=str(RECIPE), tag=base_image(), labels={RECIPE_LABEL: recipe_digest()}, rm=True, forcerm=True
        )
    except (BuildError, APIError) as problem:
        raise TyrellError(f"the base image {base_image()} could not be built: {problem}") from problem
    return base_image()


def _known(reference: str) -> bool:
    try:
        docker_engine().images.get(reference)
    except ImageNotFound:
        return False
    return True


def _bootstrap() -> None:
    """Debian's smallest root file system, from mmdebstrap into the engine."""
    repository, _, tag = ROOT_FILE_SYSTEM.partition(":")
    with TemporaryDirectory(prefix="tyrell-") as folder:
        archive = Path(folder) / "debian.tar"
        command = ["mmdebstrap", "--quiet", "--variant=minbase", *LEFT_OUT, "bookworm", str(archive)]
        try:
            subprocess.run(command, stderr=subprocess.PIPE, text=True, check=True)
        except FileNotFoundError:
            raise UsageError(
                f"the Docker Engine has no image {ROOT_FILE_SYSTEM}, and mmdebstrap, which makes it, is missing: "
                "apt install mmdebstrap"
            ) from None
        except subprocess.CalledProcessError as problem:
            last_words = " ".join(problem.stderr.split())[-300:]
            raise TyrellError(f"mmdebstrap could not make {ROOT_FILE_SYSTEM}: {last_words}") from problem
        docker_engine().api.import_image_from_file(
            str(archive), repository=repository, tag=tag, changes=['CMD ["bash"]']
        )
