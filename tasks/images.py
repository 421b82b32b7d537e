"""Docker images of roles: known by the digest of what they are made of, and built only when no such image is there."""

from __future__ import annotations

import io
import logging
import os
import time
from collections.abc import Iterable, Mapping
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

from docker import DockerClient
from docker.errors import APIError, ImageNotFound
from docker.models.images import Image as EngineImage
from prefect.artifacts import create_table_artifact
from pydantic import Field

from tasks.build_log import BuildLog
from tasks.docker_engine import engine, find_or_pull
from tasks.errors import TyrellError
from tasks.link_modules import ROOT
from tasks.model import Noun, RoleName
from tasks.recipes import Recipe, find_recipe
from tasks.roles import load_role
from tasks.steps import step

logger = logging.getLogger(__name__)

INPUTS = "tyrell:inputs"
SILENCE = 900
"""Seconds in which a build must say something."""
PROXIES = ("HTTP_PROXY", "HTTPS_PROXY", "FTP_PROXY", "NO_PROXY")
PASSED_ON = (*PROXIES, *map(str.lower, PROXIES), "PIP_INDEX_URL", "PIP_TRUSTED_HOST")
"""How this machine reaches others: build arguments that are no inputs, as they do not change what is built."""


class Image(Noun):
    """A role's image in the Docker Engine."""

    role: RoleName
    reference: str
    id: str = Field(pattern="^sha256:[0-9a-f]{64}$")
    inputs: str = ""
    """The digest of what it was built from; empty when somebody else built it."""
    size: int
    """Bytes, unpacked."""


class Built(Noun):
    """What became of an image in a run."""

    image: Image
    outcome: Literal["built", "unchanged", "given"]
    seconds: float


def find_image(recipe: Recipe) -> Image | None:
    """The finished image that was built from exactly these inputs. Raises TyrellError without an engine."""
    with engine() as client:
        try:
            found = client.images.get(recipe.reference)
        except ImageNotFound:
            return None
    image = _image(found, recipe.role, recipe.reference)
    return image if image.inputs == recipe.inputs else None


@step("build image of {role}", system="docker")
def build_image(
    role: str, context: str = "", args: Mapping[str, str] | None = None, version: str = "", root: Path = ROOT
) -> Built:
    """Build the image of a role unless there is one of the same inputs; also tag it with `version`.

    Raises TyrellError naming the failing step and its last lines; nothing is left of a failed build.
    See `find_recipe` for the rest.
    """
    started = time.monotonic()
    recipe = find_recipe(role, context, args, root)
    found = find_image(recipe)
    if found:
        logger.info("nothing to build: %s has the same inputs", found.reference)
    image = found or _build(recipe, version)
    if version:
        with engine() as client:
            client.images.get(image.id).tag(f"link-{role}", version)
    outcome: Literal["built", "unchanged"] = "unchanged" if found else "built"
    return Built(image=image, outcome=outcome, seconds=time.monotonic() - started)


@step("use image {reference} for {role}", system="docker")
def use_image(role: str, reference: str) -> Built:
    """A ready-made image for a role: any reference; pulled when the engine does not have it. Raises NotFound."""
    started = time.monotonic()
    load_role(role)
    return Built(image=find_given(role, reference), outcome="given", seconds=time.monotonic() - started)


def find_given(name: str, reference: str) -> Image:
    """A ready-made image, for a role or a service; pulled when the engine does not have it. Raises NotFound."""
    with engine() as client:
        return _image(find_or_pull(client, reference, f"image for {name}"), name, reference)


@step("what became of the images", system="artifacts")
def publish_images(built: Iterable[Built]) -> None:
    """A table artifact of the run: the image of each role."""
    rows = [{"outcome": each.outcome, "seconds": round(each.seconds, 1), **each.image.model_dump()} for each in built]
    create_table_artifact(table=rows, key="images", description="The images of the roles, as this run left them")


def _build(recipe: Recipe, version: str) -> Image:
    log = BuildLog(recipe.role)
    with engine() as client:
        try:
            log.follow(_start(client, recipe, version))
        except APIError as error:  # before the first step: a Dockerfile that cannot be read
            why = " ".join(str(error.explanation).split())
            raise TyrellError(f"the image of {recipe.role} cannot be built: {why}") from None
        except BaseException:
            for made in reversed(log.made):
                with suppress(APIError):  # still in use, or gone
                    client.api.remove_image(made, noprune=True)
            raise
    image = find_image(recipe)
    if image is None:
        raise TyrellError(f"the build of {recipe.reference} ended without it; look at the log of the Docker Engine")
    return image


def _start(client: DockerClient, recipe: Recipe, version: str) -> Iterable[dict[str, Any]]:
    """Have the engine build, and give what it says. It sets labels and tag last: nothing half-made has them."""
    labels = {
        **recipe.source.labels,
        "org.opencontainers.image.created": datetime.now(UTC).isoformat(timespec="seconds"),
        "tyrell:role": recipe.role,
        INPUTS: recipe.inputs,
    }
    if version:
        labels["org.opencontainers.image.version"] = version
    where: dict[str, Any] = {"path": recipe.remote}
    if not recipe.remote:
        where = {"fileobj": io.BytesIO(recipe.archive), "custom_context": True}
    around = {name: os.environ[name] for name in PASSED_ON if os.environ.get(name)}
    return client.api.build(
        **where,
        tag=recipe.reference,
        labels=labels,
        buildargs={**around, **recipe.args},
        rm=True,
        forcerm=True,
        decode=True,
        timeout=SILENCE,
    )


def _image(found: EngineImage, role: str, reference: str) -> Image:
    inputs = found.labels.get(INPUTS, "")
    return Image(role=role, reference=reference, id=str(found.id), inputs=inputs, size=found.attrs["Size"])
