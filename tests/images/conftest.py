"""A Docker Engine, and folders to build from that leave nothing in it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from uuid import uuid4

import docker
import pytest
from docker import DockerClient
from docker.errors import APIError

from tests.waiting import eventually
from tyrell.local.containers.base_image import ensure_base_image

BASE = "debian:bookworm-slim"


@pytest.fixture(scope="package")
def engine() -> Iterator[DockerClient]:
    """The Docker Engine, asked directly; it has what the Dockerfiles stand on."""
    ensure_base_image()
    client = docker.from_env()
    yield client
    client.close()


class Folder:
    """A build context whose images, containers and intermediate images can be told from everybody else's."""

    def __init__(self, path: Path, engine: DockerClient) -> None:
        self.path = path
        self._engine = engine
        self._label = f"tyrell-test={uuid4()}"

    def write(self, *steps: str) -> str:
        """Write a Dockerfile of these steps; return the folder's name."""
        lines = [f"FROM {BASE}", f"LABEL {self._label}", *steps]
        (self.path / "Dockerfile").write_text("\n".join(lines) + "\n")
        return str(self.path)

    def images(self) -> list[str]:
        """The ids of all images that were made of it, intermediate ones too."""
        return [image["Id"] for image in self._engine.api.images(all=True, filters={"label": self._label})]

    def containers(self) -> list[str]:
        """The ids of all containers of such images, also those that have stopped."""
        return [each["Id"] for each in self._engine.api.containers(all=True, filters={"label": self._label})]

    def remove(self) -> None:
        """Remove all of them."""
        eventually("the images of the test to be gone", lambda: not self._left())

    def _left(self) -> list[str]:
        for container in self.containers():
            with suppress(APIError):  # the engine may be removing it
                self._engine.api.remove_container(container, force=True)
        for image in self.images():
            with suppress(APIError):  # those made of it go first
                self._engine.api.remove_image(image, force=True)
        return self.images()


@pytest.fixture
def folder(tmp_path: Path, engine: DockerClient) -> Iterator[Folder]:
    """An empty folder to build from."""
    folder = Folder(tmp_path, engine)
    yield folder
    folder.remove()
