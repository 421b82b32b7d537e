"""The images of the roles as they lie in the repository: small, not root, healthy when their service is."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest
from docker import DockerClient
from docker.models.containers import Container

from tasks.images import Image, build_image
from tests.images.conftest import BASE
from tests.link.aws_server import MachineGroup, aws_server
from tests.tasks.checkouts import add_line, copied
from tests.waiting import eventually, free_port

pytestmark = pytest.mark.docker

ROLES = (
    "core-services",
    "device-data-worker",
    "metrics",
    "router",
    "target",
    "tenant-mgmt-api",
    "usage-api",
    "usage-worker",
)
SERVING = ("core-services", "router", "target", "tenant-mgmt-api")
"""Those that answer."""

ADDRESS = "127.47.0.4"
OWN_MEGABYTES = 135
"""What an image may hold beyond its base: Python is 45 MB, the packages 40 MB, etcd 55 MB."""


@pytest.fixture(scope="module")
def images() -> dict[str, Image]:
    """The image of every role."""
    return {role: build_image.fn(role).image for role in ROLES}


@pytest.mark.parametrize("role", ROLES)
def test_an_image_is_small_and_its_service_is_not_root(
    images: dict[str, Image], role: str, engine: DockerClient
) -> None:
    base = engine.images.get(BASE).attrs["Size"]
    assert (images[role].size - base) / 1e6 < OWN_MEGABYTES
    user = engine.containers.run(images[role].id, entrypoint=["id", "-u"], remove=True)
    assert user == b"900\n"


@pytest.mark.parametrize("role", ROLES)
def test_an_image_holds_no_tools_for_making_it(images: dict[str, Image], role: str, engine: DockerClient) -> None:
    looking = ["sh", "-c", "command -v pip gcc git curl; ls /requirements.txt; true"]
    assert engine.containers.run(images[role].id, entrypoint=looking, remove=True) == b""


def test_one_changed_line_of_the_router_makes_one_new_layer_of_the_router(
    images: dict[str, Image], tmp_path: Path, engine: DockerClient
) -> None:
    root = copied(tmp_path)
    add_line(root / "link/router.py", "# changed")
    built = {role: build_image.fn(role, root=root) for role in ROLES}
    assert [role for role in ROLES if built[role].outcome == "built"] == ["router"]

    add_line(root / "link/router.py", "# changed again")
    changed = [built["router"].image, build_image.fn("router", root=root).image]
    before, after = (layers(engine, image) for image in changed)
    for image in changed:
        engine.images.remove(image.reference)
    assert (after[:-1], after[-1] == before[-1]) == (before[:-1], False)


def test_roles_of_the_same_packages_share_them(images: dict[str, Image], engine: DockerClient) -> None:
    router, target = (layers(engine, images[role]) for role in ("router", "target"))
    assert router[:-1] == target[:-1]


@pytest.mark.cloud
def test_the_services_of_all_images_become_healthy_together(images: dict[str, Image], engine: DockerClient) -> None:
    ports = {role: free_port(ADDRESS) for role in SERVING}
    with aws_server() as aws, ExitStack() as running:
        tags = {"tyrell:stack": "lab", "tyrell:role": "core-services"}
        MachineGroup(aws, "core-services", "127.47.0.0/16", tags).add(ADDRESS)
        environment = aws.variables | settings(ports)
        started = {role: running.enter_context(container(engine, images[role], environment)) for role in SERVING}
        eventually("all to be healthy", lambda: {health(each) for each in started.values()} == {"healthy"}, 60)
        peers = started["core-services"].exec_run("etcd-peers").output
        assert peers == f"ETCD_PEER_HOSTS={ADDRESS}:{ports['core-services']}\n".encode()


def test_the_agent_of_all_machines_is_in_the_image_of_core_services(
    images: dict[str, Image], engine: DockerClient
) -> None:
    address = f"{ADDRESS}:{free_port(ADDRESS)}"
    environment = {
        "COREOS_PRIVATE_IPV4": ADDRESS,
        "STATSD_HOST": address,
        "ZETTA_STACK": "lab",
        "ZETTA_VERSION": "1",
        "LINK_INSTANCE_TYPE": "router",
        "INTERVAL": "1",
    }
    with aws_server() as aws:
        agent = container(engine, images["core-services"], environment | aws.variables, entrypoint=["metrics-agent"])
        with agent as running:
            missing = b"points wait: there is no secret tyrell/lab/metrics"
            eventually("the agent to look for its secret", lambda: missing in running.logs(), 30)
            assert b'"started"' in running.logs()


@pytest.mark.parametrize("role", SERVING)
def test_a_service_that_does_not_answer_is_not_healthy(
    images: dict[str, Image], role: str, engine: DockerClient
) -> None:
    _, check = engine.images.get(images[role].id).attrs["Config"]["Healthcheck"]["Test"]
    idle = container(engine, images[role], {"COREOS_PRIVATE_IPV4": ADDRESS}, entrypoint=["sleep", "60"])
    with idle as running:
        assert running.exec_run(["sh", "-c", check]).exit_code == 1


def settings(ports: dict[str, int]) -> dict[str, str]:
    """The environment of all four services on one address; each reads what is meant for it."""
    return {
        "COREOS_PRIVATE_IPV4": ADDRESS,
        "ZETTA_STACK": "lab",
        "VERSION": "1",
        "MAPPED_PORT": str(ports["target"]),
        "ETCD_CLIENT_PORT": str(ports["core-services"]),
        "ETCD_PEER_PORT": str(free_port(ADDRESS)),
        "ETCD_PEER_HOSTS": f"{ADDRESS}:{ports['core-services']}",
        "PORT of router": str(ports["router"]),
        "PORT of tenant-mgmt-api": str(ports["tenant-mgmt-api"]),
    }


@contextmanager
def container(
    engine: DockerClient, image: Image, environment: dict[str, str], entrypoint: list[str] | None = None
) -> Iterator[Container]:
    """Run an image on this machine's own network until the block is over; its volumes go with it."""
    own = {name.split()[0]: value for name, value in environment.items() if name.endswith(f"of {image.role}")}
    started = engine.containers.run(
        image.id, entrypoint=entrypoint, environment=environment | own, network_mode="host", detach=True
    )
    try:
        yield started
    finally:
        started.remove(v=True, force=True)


def layers(engine: DockerClient, image: Image) -> list[str]:
    """The digests of an image's layers, the base's first."""
    found: list[str] = engine.images.get(image.id).attrs["RootFS"]["Layers"]
    return found


def health(container: Container) -> str:
    """What Docker says of a container's health check."""
    container.reload()
    return str(container.attrs["State"]["Health"]["Status"])
