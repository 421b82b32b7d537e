"""An embedded cloud whose machines are containers, to bake machine images on: `tyrell bake` as a person uses it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cached_property
from typing import Any

import boto3
import docker

from tasks.machine_images import find_roles
from tests.flows.embedded import Tyrell, embedded_cloud
from tests.waiting import eventually

NETWORK = "10.79.0.0/16"
FIRST = 600
"""Seconds: a Docker Engine's first cloud makes the image of Debian that its machines boot."""
ROLES = tuple(role.name for role in find_roles("link"))


class Bakery:
    """The cloud, the Docker images of the roles, and what is there of a bake."""

    def __init__(self, tyrell: Tyrell) -> None:
        self.tyrell = tyrell

    @cached_property
    def images(self) -> dict[str, str]:
        """References of the images of all roles; by name, since others may edit the services while we bake."""
        return {each["image"]["role"]: each["image"]["reference"] for each in self.tyrell.json("build-image", *ROLES)}

    def command(self, **images: str) -> tuple[str, ...]:
        """The bake of these Docker images, with others for some roles."""
        return ("bake", *(f"--image={role}={name}" for role, name in {**self.images, **images}.items()))

    def bake(self, **images: str) -> dict[str, Any]:
        """A bake that must succeed."""
        baked: dict[str, Any] = self.tyrell.json(*self.command(**images))
        return baked

    def builds(self) -> list[dict[str, Any]]:
        """The machine images there are, the newest first."""
        found: list[dict[str, Any]] = self.tyrell.json("builds")
        return found

    def ec2(self) -> Any:
        """EC2 of this cloud, asked directly."""
        environment = self.tyrell.cloud_environment
        return boto3.client(
            "ec2",
            endpoint_url=environment["AWS_ENDPOINT_URL"],
            region_name=environment["AWS_DEFAULT_REGION"],
            aws_access_key_id=environment["AWS_ACCESS_KEY_ID"],
            aws_secret_access_key=environment["AWS_SECRET_ACCESS_KEY"],
        )

    def baking_instances(self) -> list[str]:
        """The instances of bakes that are not terminated."""
        reservations = self.ec2().describe_instances(
            Filters=[
                {"Name": "tag-key", "Values": ["tyrell:bake-key"]},
                {"Name": "instance-state-name", "Values": ["pending", "running", "stopping", "stopped"]},
            ]
        )["Reservations"]
        return [instance["InstanceId"] for each in reservations for instance in each["Instances"]]

    def left_over(self) -> dict[str, list[Any]]:
        """What bakes have left besides images: all of these lists are empty when nothing is."""
        ec2, ours = self.ec2(), [{"Name": "tag-key", "Values": ["tyrell:bake-key"]}]
        groups = [*ec2.describe_security_groups(Filters=ours)["SecurityGroups"]]
        return {
            "instances": self.baking_instances(),
            "key pairs": ec2.describe_key_pairs()["KeyPairs"],
            "security groups": [group["GroupName"] for group in groups],
            "volumes": ec2.describe_volumes(Filters=ours)["Volumes"],
            "packer processes": [each for each in self.tyrell.processes() if "packer" in each.split("/")[-1]],
        }


@contextmanager
def bakery() -> Iterator[Bakery]:
    """A cloud that is up, with a network in it; afterwards everything of it is gone."""
    with embedded_cloud("--machines", "docker", network=NETWORK, timeout=FIRST) as tyrell:
        tyrell.ok("network")
        yield Bakery(tyrell)


@contextmanager
def relabelled(reference: str) -> Iterator[str]:
    """The same image under another id, as if a line had changed in it."""
    client = docker.from_env()
    name = "tyrell-test-relabelled:1"
    container = client.containers.create(reference)
    container.commit("tyrell-test-relabelled", "1", changes="LABEL changed=yes")
    container.remove(v=True)
    try:
        yield name
    finally:
        client.images.remove(name, force=True)
        client.close()


NOTHING: dict[str, list[Any]] = {
    name: [] for name in ("instances", "key pairs", "security groups", "volumes", "packer processes")
}


def await_nothing_left(bakery: Bakery) -> None:
    """Fail when a bake has left something besides its image."""
    eventually("nothing to be left of the bakes", lambda: bakery.left_over() == NOTHING or None, 20)
