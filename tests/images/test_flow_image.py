"""The image that runs the flows, as workers, tasks on ECS and jobs on Kubernetes have it."""

from __future__ import annotations

import pytest
from docker import DockerClient
from docker.errors import ContainerError

from tasks.images import build_image
from tasks.link_modules import ROOT

pytestmark = pytest.mark.docker

EVERY_FLOW = """
import flows, importlib, pkgutil
for each in pkgutil.iter_modules(flows.__path__):
    print(importlib.import_module(f"flows.{each.name}").__name__)
"""


@pytest.fixture(scope="module")
def image(engine: DockerClient) -> str:
    """The id of the image of the role flow-worker."""
    return build_image.fn("flow-worker").image.id


def said(engine: DockerClient, image: str, *words: str) -> str:
    """What a program says in a container of the image that has no network."""
    output: bytes = engine.containers.run(image, list(words), network_disabled=True, remove=True)
    return output.decode()


def test_every_flow_can_be_loaded_from_it(engine: DockerClient, image: str) -> None:
    loaded = said(engine, image, "python", "-c", EVERY_FLOW).split()
    assert set(loaded) == {f"flows.{path.stem}" for path in (ROOT / "flows").glob("[!_]*.py")}


def test_it_has_the_commands_of_workers_and_servers(engine: DockerClient, image: str) -> None:
    for words in (("worker", "start"), ("server", "start"), ("server", "services", "start")):
        assert words[-1] in said(engine, image, "prefect", *words, "--help")


def test_as_a_flow_worker_it_says_what_it_lacks_where_no_machine_of_that_role_is(
    engine: DockerClient, image: str
) -> None:
    with pytest.raises(ContainerError, match=r"flow-worker cannot start: COREOS_PRIVATE_IPV4, PORT, .* not set"):
        engine.containers.run(image, network_disabled=True, remove=True)


def test_it_is_not_root_and_has_no_tools_for_making_it(engine: DockerClient, image: str) -> None:
    looking = "id -u; command -v pip uv gcc git curl docker packer; true"
    assert said(engine, image, "sh", "-c", looking) == "900\n"


def test_what_it_is_made_of_holds_no_secrets_and_no_tests(engine: DockerClient, image: str) -> None:
    assert set(said(engine, image, "ls", "-A", "/opt/tyrell").split()) == {
        ".venv",
        "deployments",
        "flows",
        "roles",
        "tasks",
        "tyrell",
    }
    assert said(engine, image, "find", "/opt/tyrell/deployments", "-name", "PREFECT_*") == ""
