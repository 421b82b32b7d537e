"""The only door to the Docker Engine: the one DOCKER_HOST names, else this machine's."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import closing, contextmanager

import docker
from docker import DockerClient
from docker.errors import APIError, DockerException, ImageNotFound
from docker.models.images import Image
from requests.exceptions import RequestException
from urllib3.exceptions import HTTPError

from tasks.errors import NotFound, TyrellError

SOCKET = "unix:///var/run/docker.sock"


@contextmanager
def engine() -> Iterator[DockerClient]:
    """A connection to the engine. Raises TyrellError when none answers, also when it goes away inside."""
    place = os.environ.get("DOCKER_HOST", SOCKET)
    try:
        client = docker.from_env()
    except DockerException as error:
        raise TyrellError(
            f"no Docker Engine answers at {place} ({_reason(error)}); start it with `systemctl start docker`,"
            " or name another one in DOCKER_HOST"
        ) from None
    with closing(client):
        try:
            yield client
        except (RequestException, HTTPError, TimeoutError) as error:
            raise TyrellError(f"the Docker Engine at {place} went away or hangs: {_reason(error)}") from None


def _reason(error: BaseException) -> str:
    """What the operating system said, below all the layers that passed it on."""
    below: BaseException | None = error
    while below is not None:
        if isinstance(below, OSError) and below.strerror:
            return below.strerror.lower()
        below = below.__cause__ or below.__context__
    return str(error)


def find_or_pull(client: DockerClient, reference: str, what: str) -> Image:
    """The image that the engine knows by `reference`; pulled when it does not. `what` says what it is for.

    Raises NotFound when there is none to be had.
    """
    try:
        return client.images.get(reference)
    except ImageNotFound:
        pass
    try:
        return client.images.pull(reference)
    except APIError as error:
        why = (error.explanation or str(error)).strip()
        raise NotFound(
            f"{what} {reference}", f"the engine has no such image and cannot pull it ({why}): load, import or build it"
        ) from None
