"""Images are pushed to a real registry that asks for a password; a refused login is one sentence."""

from __future__ import annotations

import json
from base64 import b64encode
from collections.abc import Iterator
from pathlib import Path

import pytest

from tasks.errors import TyrellError
from tasks.images import Image, build_image
from tasks.registries import push_image
from tests.images.conftest import Folder
from tests.images.servers import Registry, registry_server

pytestmark = pytest.mark.docker


@pytest.fixture
def registry(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Registry]:
    """An empty registry."""
    with registry_server(tmp_path_factory.mktemp("registry")) as registry:
        yield registry


@pytest.fixture
def image(folder: Folder) -> Image:
    """An image to push."""
    return build_image.fn("router", folder.write()).image


def log_in(folder: Path, registry: Registry, password: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """What `docker login` leaves behind."""
    auth = b64encode(f"{registry.login[0]}:{password}".encode()).decode()
    (folder / "config.json").write_text(json.dumps({"auths": {registry.name: {"auth": auth}}}))
    monkeypatch.setenv("DOCKER_CONFIG", str(folder))


def test_an_image_is_pushed_by_digest_and_version_as_docker_is_logged_in(
    registry: Registry, image: Image, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    log_in(tmp_path, registry, registry.login[1], monkeypatch)
    pushed = push_image.fn(image, f"{registry.name}/zetta", "v7")
    repository = f"{registry.name}/zetta/link-router"
    assert pushed == (f"{repository}:{image.inputs[:12]}", f"{repository}:v7")
    assert registry.tags("zetta/link-router") == sorted([image.inputs[:12], "v7"])
    assert push_image.fn(image, f"{registry.name}/zetta", "v7") == pushed


@pytest.mark.parametrize("password", ["", "wrong"])
def test_a_refused_login_says_how_to_log_in(
    registry: Registry, image: Image, password: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    log_in(tmp_path, registry, password, monkeypatch)
    with pytest.raises(TyrellError) as refused:
        push_image.fn(image, registry.name)
    said = str(refused.value)
    assert said.startswith(f"registry {registry.name} refused {registry.name}/link-router:{image.inputs[:12]} (")
    assert said.endswith(f"log in with `docker login {registry.name}`, or name a Prefect Secret block in --credentials")
    assert registry.tags("link-router") == []


def test_a_registry_that_is_not_there_is_named(image: Image) -> None:
    with pytest.raises(TyrellError, match=r"127\.0\.0\.1:9/link-router:\w+ cannot be pushed: .*connection refused"):
        push_image.fn(image, "127.0.0.1:9")
