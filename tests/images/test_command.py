"""`tyrell build-image` as a person uses it: one line a role, one sentence for what cannot be."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from docker import DockerClient
from prefect.blocks.system import Secret
from prefect.settings import PREFECT_API_URL, temporary_settings

from tests.flows.embedded import Tyrell, embedded_cloud
from tests.images.conftest import BASE, Folder
from tests.images.servers import Registry, registry_server
from tests.tasks.repositories import commit

pytestmark = [pytest.mark.docker, pytest.mark.cloud]


@pytest.fixture(scope="module")
def tyrell() -> Iterator[Tyrell]:
    """The command where an embedded cloud with a Prefect server is up."""
    with embedded_cloud() as tyrell:
        yield tyrell


@pytest.fixture
def registry(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Registry]:
    """An empty registry."""
    with registry_server(tmp_path_factory.mktemp("registry")) as registry:
        yield registry


def test_a_build_is_one_line_that_says_what_became_of_it(tyrell: Tyrell, folder: Folder) -> None:
    command = ("build-image", "router", "--context", folder.write("RUN echo made > /made"))
    first, again = tyrell.ok(*command), tyrell.ok(*command)
    assert [line.split()[:2] for line in (first, again)] == [["router", "built"], ["router", "unchanged"]]
    assert first.split()[2] == again.split()[2]
    assert first.split()[4] == "MB"


def test_json_says_the_same_for_machines(tyrell: Tyrell, folder: Folder, engine: DockerClient) -> None:
    [built] = tyrell.json("build-image", "router", "--context", folder.write(), "--version", "v8")
    assert built["outcome"] == "built"
    assert built["image"]["id"] == str(engine.images.get("link-router:v8").id)


def test_an_image_of_ones_own_is_taken_as_it_is(tyrell: Tyrell) -> None:
    assert tyrell.ok("build-image", "target", "--image", BASE).split()[:3] == ["target", "given", BASE]


def test_the_registry_is_logged_in_to_with_the_block_that_is_named(
    tyrell: Tyrell, folder: Folder, registry: Registry
) -> None:
    with temporary_settings({PREFECT_API_URL: tyrell.cloud_environment["PREFECT_API_URL"]}):
        login = dict(zip(("username", "password"), registry.login, strict=True))
        Secret(value=login).save("own-registry", overwrite=True)
    command = ("build-image", "router", "--context", folder.write(), "--push", registry.name)
    refused = tyrell.run(*command)
    assert (refused.returncode, refused.stderr.count(f"registry {registry.name} refused")) == (1, 1)
    assert registry.tags("link-router") == []
    tyrell.ok(*command, "--credentials", "own-registry")
    assert len(registry.tags("link-router")) == 1


def test_a_block_that_is_not_there_is_named(tyrell: Tyrell, folder: Folder) -> None:
    command = ("build-image", "router", "--context", folder.write(), "--push", "127.0.0.1:9", "--credentials", "gone")
    done = tyrell.run(*command)
    assert done.returncode == 2
    assert "Prefect Secret block gone does not exist; make it in the Prefect UI" in done.stderr


@pytest.mark.parametrize(
    ("command", "code", "sentence"),
    [
        ("ruoter", 2, "role 'ruoter' does not exist; there are core-services, device-data-worker, flow-worker, router"),
        ("router target --context .", 2, "one context is for one role, not for router, target"),
        ("router --context . --image x", 2, "--context says what to build and --image that nothing is built"),
        ("router --build-arg BASE", 2, "--build-arg BASE cannot be read: write it as NAME=VALUE"),
        ("router --context /nonexistent", 2, "/nonexistent/Dockerfile does not exist; name a folder"),
        ("router --version V.7", 2, "'V.7' cannot be used: write 1 to 16 lower-case letters and digits"),
        ("router --build-arg BASE=registry.invalid/base:1", 2, "base image of router registry.invalid/base:1 does not"),
    ],
)
def test_what_cannot_be_is_one_sentence(tyrell: Tyrell, command: str, code: int, sentence: str) -> None:
    done = tyrell.run("build-image", *command.split())
    assert done.returncode == code, done.stderr
    assert done.stderr.splitlines()[-1].startswith(f"tyrell: {sentence}")


def test_what_no_commit_has_is_refused_on_request(tyrell: Tyrell, folder: Folder) -> None:
    context = folder.write()
    commit(folder.path)
    command = ("build-image", "router", "--context", context, "--require-clean")
    assert tyrell.ok(*command).split()[1] == "built"
    (folder.path / "new").touch()
    done = tyrell.run(*command)
    assert done.returncode == 2
    assert "is dirty (new); commit, or leave out --require-clean" in done.stderr


def test_a_failing_dockerfile_ends_the_command_with_its_last_lines(tyrell: Tyrell, folder: Folder) -> None:
    done = tyrell.run("build-image", "router", "--context", folder.write("RUN echo no compiler; exit 3"))
    assert done.returncode == 1
    assert done.stderr.splitlines()[-1].endswith("returned a non-zero code: 3; it said: no compiler")
    assert (folder.images(), folder.containers()) == ([], [])


def test_without_an_engine_the_command_says_how_to_start_one(tyrell: Tyrell, tmp_path: Path) -> None:
    tyrell.environment_variables["DOCKER_HOST"] = f"unix://{tmp_path}/none.sock"
    done = tyrell.run("build-image", "router")
    del tyrell.environment_variables["DOCKER_HOST"]
    assert done.returncode == 1
    assert "start it with `systemctl start docker`" in done.stderr.splitlines()[-1]
