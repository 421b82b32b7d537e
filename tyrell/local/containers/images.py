"""Machine images as Docker images: `tyrell/ami:<ami-id>` is the root file system, a volume holds /var/lib/docker."""

from __future__ import annotations

from contextlib import ExitStack

from docker.errors import ImageNotFound

from tyrell.local.containers.computer import container_name
from tyrell.local.containers.disks import create_disk, delete_disk
from tyrell.local.containers.docker_engine import docker_engine
from tyrell.local.settings import Settings

REPOSITORY = "tyrell/ami"


def location_of(image_id: str) -> str:
    """The reference of the Docker image that a captured machine image is."""
    return f"{REPOSITORY}:{image_id}"


def image_of(location: str) -> str | None:
    """The id of the machine image at `location`; None when that is a Docker image of somebody else."""
    repository, _, image_id = location.partition(":")
    return image_id if repository == REPOSITORY else None


def capture(settings: Settings, instance_id: str, image_id: str) -> None:
    """Make the contents of the machine image `image_id` of the instance's disks as they are now.

    An instance that runs stands still meanwhile, so that both disks are of the same moment. What is mounted (/run,
    /tmp) is not in the image. The image has the labels of the container, the cloud's among them.
    Raises docker's NotFound when the instance is gone, TyrellError when the copy fails.
    """
    container = docker_engine().containers.get(container_name(instance_id))
    with ExitStack() as afterwards:
        if container.status == "running":
            container.pause()
            afterwards.callback(container.unpause)
        create_disk(settings, image_id, copied_from=instance_id)
        container.commit(repository=REPOSITORY, tag=image_id, pause=False)


def discard(location: str) -> None:
    """Delete what `capture` made; nothing there is fine, and so are instances that still run from it."""
    image_id = image_of(location)
    if image_id is None:
        return
    delete_disk(image_id)
    try:
        docker_engine().images.remove(location, force=True)
    except ImageNotFound:
        return
